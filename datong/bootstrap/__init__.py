"""The only room that knows all rooms: the configuration, the registry, and the building of the whole."""
