"""How people and systems reach Datong over HTTP: webhooks in, probes, metrics."""
