"""A local HTTP server that answers like Open edX, for tests, measurements and a demonstration.

It speaks as much of the LMS's REST API as an issuer of credentials asks for, with a generated
population and, if wanted, with faults. Nothing in it asks a real LMS.
"""
