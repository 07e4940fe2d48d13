//! What a stage records, whatever becomes of it.
