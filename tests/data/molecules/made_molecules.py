"""Mol blocks and SD records written by hand, so that no toolkit has put them in its own order."""

import gzip


def block(atoms, bonds=(), title="made"):
    """atoms: symbols; bonds: (first, second, order), counted from 0."""
    lines = [title, "  by hand", "", f"{len(atoms):3d}{len(bonds):3d}  0  0  0  0  0  0  0  0999 V2000"]
    lines += [f"{i:10.4f}{0:10.4f}{0:10.4f} {s:<3} 0  0  0  0  0  0  0  0  0  0  0  0" for i, s in enumerate(atoms)]
    lines += [f"{a + 1:3d}{b + 1:3d}{order:3d}  0" for a, b, order in bonds]
    return "\n".join([*lines, "M  END", ""])


def record(mol, properties, header=">  <{}>  (1) ", end="$$$$\n"):
    """An SD record; properties: {name: value} or pairs."""
    pairs = properties.items() if isinstance(properties, dict) else properties
    return mol + "".join(f"{header.format(name)}\n{value}\n\n" for name, value in pairs) + end


def peaks(*labels):
    """(ppm, atom) pairs in nmrshiftdb2's own layout."""
    return "".join(f"{ppm};0.0Q;{atom}|" for ppm, atom in labels)


def save(path, text, packed=False):
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


# Ethanol, oxygen first and two hydrogens written between the heavy atoms: O, H on O, C2, H on C2, C1
ETHANOL = block(["O", "H", "C", "H", "C"], [(0, 1, 1), (0, 2, 1), (2, 3, 1), (2, 4, 1)], "ethanol")
