"""The house itself: layers, packaging, and documents that name only what exists."""
