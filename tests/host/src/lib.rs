//! An empty library: the tests are the program.
