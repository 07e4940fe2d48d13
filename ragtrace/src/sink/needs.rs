//! What a sink needs besides records of its level.

/// Requirements of a [`Sink`](super::Sink) besides its level: none unless set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    all_end_records: bool,
    ancestry: bool,
}

impl Needs {
    /// Requests the end record of every stage, whatever its level.
    ///
    /// A sink that makes spans of end records needs that: its trees would have holes where a level
    /// hides a stage.
    pub fn with_all_end_records(mut self) -> Self {
        self.all_end_records = true;
        self
    }

    /// Requires the path of every end record: the runs from its local root down to it
    /// ([`Record::path`](crate::Record::path)).
    pub fn with_ancestry(mut self) -> Self {
        self.ancestry = true;
        self
    }

    /// Returns true if the sink takes end records with their path.
    pub fn ancestry(&self) -> bool {
        self.ancestry
    }

    /// Returns true if the sink takes the end record of every stage.
    pub fn all_end_records(&self) -> bool {
        self.all_end_records
    }
}
