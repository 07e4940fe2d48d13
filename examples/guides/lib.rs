//! One program for each way to use ragtrace.
