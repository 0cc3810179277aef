//! Why a request is not taken.

use http::StatusCode;

/// A request that is refused: the connection ends after the answer, since where the next request begins is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What to answer.
    pub(crate) status: StatusCode,
    /// A clause that reads well in "The request is malformed: {why}."
    pub(crate) why: &'static str,
}

impl Refusal {
    /// 400.
    pub(super) const fn bad(why: &'static str) -> Refusal {
        Refusal { status: StatusCode::BAD_REQUEST, why }
    }

    /// Any other status.
    pub(super) const fn with(status: StatusCode, why: &'static str) -> Refusal {
        Refusal { status, why }
    }
}
