//! Whether something is there.

/// What a look for a resource says. "Not there" and "could not tell" are different.
#[derive(Clone, Debug, PartialEq)]
pub enum Existence<T> {
    /// It is certain that there is none.
    Absent,
    /// There may be one: a create was sent not long ago and nothing is visible, or it is listed and cannot be looked at.
    Unknown,
    /// This one.
    Present(T),
}

impl<T> Existence<T> {
    /// What was found.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(found) => Some(found),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// Whether it is certain that there is none.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}
