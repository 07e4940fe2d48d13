//! Nothing but a place for the tests, which are the program.
