//! The tables that hold rows.

/// The table that rows lie in. A reader of both looks into `logs` first: a row that retention moves
/// meanwhile is then found twice, and returned once, rather than found in neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Logs,
    Archive,
}

impl Place {
    pub(crate) const BOTH: [Self; 2] = [Self::Logs, Self::Archive];
}
