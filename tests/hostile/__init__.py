"""Hostile input: what other systems, people and disks do to us, on purpose. Nothing may be lost or doubled by it."""
