//! Sets of request methods: a bit each for the nine that everyone knows, a list for the rest.

use http::Method;

/// The methods with a bit, in the order of their names.
const KNOWN: [Method; 9] = [
    Method::CONNECT,
    Method::DELETE,
    Method::GET,
    Method::HEAD,
    Method::OPTIONS,
    Method::PATCH,
    Method::POST,
    Method::PUT,
    Method::TRACE,
];

/// The bit of a method, 0 for those beyond the nine.
fn bit(method: &Method) -> u16 {
    let index = match *method {
        Method::CONNECT => 0,
        Method::DELETE => 1,
        Method::GET => 2,
        Method::HEAD => 3,
        Method::OPTIONS => 4,
        Method::PATCH => 5,
        Method::POST => 6,
        Method::PUT => 7,
        Method::TRACE => 8,
        _ => return 0,
    };
    1 << index
}

/// The methods of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Methods {
    pub(super) bits: u16,
    pub(super) more: Vec<Method>,
}

impl Methods {
    pub(super) fn insert(&mut self, method: Method) {
        match bit(&method) {
            0 if self.more.contains(&method) => {}
            0 => self.more.push(method),
            bit => self.bits |= bit,
        }
    }

    pub(super) fn extend(&mut self, other: &Methods) {
        self.bits |= other.bits;
        for method in &other.more {
            self.insert(method.clone());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bits == 0 && self.more.is_empty()
    }

    /// By name, so that an `Allow` header is the same each time.
    pub(super) fn sorted(&self) -> Vec<Method> {
        let known = KNOWN.iter().filter(|method| self.bits & bit(method) != 0);
        let mut all: Vec<Method> = known.chain(&self.more).cloned().collect();
        all.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        all
    }
}

impl FromIterator<Method> for Methods {
    /// HEAD comes with GET.
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Methods {
        let mut set = Methods::default();
        methods.into_iter().for_each(|method| set.insert(method));
        if set.bits & bit(&Method::GET) != 0 {
            set.insert(Method::HEAD);
        }
        set
    }
}

/// The method of a request, made ready for comparing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) bit: u16,
    pub(super) other: Option<&'a Method>,
}

impl<'a> Wanted<'a> {
    /// Fits only the rules for all methods.
    pub(super) const NONE: Wanted<'static> = Wanted { bit: 0, other: None };

    pub(super) fn new(method: &'a Method) -> Wanted<'a> {
        let bit = bit(method);
        Wanted { bit, other: (bit == 0).then_some(method) }
    }

    pub(super) fn is_in(self, methods: &Methods) -> bool {
        methods.bits & self.bit != 0 || self.other.is_some_and(|m| methods.more.contains(m))
    }
}
