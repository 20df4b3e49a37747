use std::cmp::Ordering;
use std::sync::Arc;

/// A channel's version. Versions of one thread only grow.
///
/// Which kind a thread uses is the saver's choice: integers without a saver, zero-padded text with
/// the savers that ship. Versions of different kinds do not compare; the engine treats such a pair
/// as "not newer".
#[derive(Clone, Debug, PartialEq)]
pub enum Version {
    /// Counts from 1.
    Int(i64),
    /// Some savers count in floats.
    Float(f64),
    /// Compared as text, so the counter part is padded.
    Text(Arc<str>),
}

impl Version {
    /// Whether `self` is newer than `seen`; an absent `seen` is older than every version.
    pub fn newer_than(&self, seen: Option<&Version>) -> bool {
        match seen {
            None => self.newer_than_null(),
            Some(seen) => self.partial_cmp(seen) == Some(Ordering::Greater),
        }
    }

    fn newer_than_null(&self) -> bool {
        match self {
            Version::Int(n) => *n > 0,
            Version::Float(n) => *n > 0.0,
            Version::Text(text) => !text.is_empty(),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Version::Int(a), Version::Int(b)) => a.partial_cmp(b),
            (Version::Float(a), Version::Float(b)) => a.partial_cmp(b),
            (Version::Int(a), Version::Float(b)) => (*a as f64).partial_cmp(b),
            (Version::Float(a), Version::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Version::Text(a), Version::Text(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unseen_version_is_newer() {
        assert!(Version::Int(1).newer_than(None));
        assert!(!Version::Int(1).newer_than(Some(&Version::Int(1))));
        assert!(Version::Text("002".into()).newer_than(Some(&Version::Text("001".into()))));
    }

    #[test]
    fn kinds_do_not_mix() {
        assert!(!Version::Int(9).newer_than(Some(&Version::Text("1".into()))));
    }
}
