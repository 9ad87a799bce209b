"""One file for each peer: the same tick as people would write it with another tool."""
