"""The data source that asks Open edX over HTTP (httpx)."""
