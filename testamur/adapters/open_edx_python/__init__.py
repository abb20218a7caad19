"""The data source that calls Open edX's own functions, inside the LMS process."""
