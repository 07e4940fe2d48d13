//! Where rows lie.

/// The table that rows lie in. A read that looks in both looks into `logs` first: what retention
/// moves in between is found twice then, and told once, rather than in neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Logs,
    Archive,
}

impl Place {
    pub(crate) const BOTH: [Self; 2] = [Self::Logs, Self::Archive];
}
