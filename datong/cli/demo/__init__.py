"""The demo: two simulated systems that disagree, brought into agreement before one's eyes."""
