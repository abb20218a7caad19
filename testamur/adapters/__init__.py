"""Each port filled: event store, data sources, renderers, storage, notification."""
