"""How fast Datong is, against the same job written by hand; see README.md in this folder."""
