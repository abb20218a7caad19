"""What drives the library: facade, command line, and the container that wires them."""
