"""From words on the command line to objects: composition, checks, and the one place that instantiates."""
