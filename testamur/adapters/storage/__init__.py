"""Where documents and assets are kept."""
