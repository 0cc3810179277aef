//! A dictionary whose keys may have several values, as in query strings and forms.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use crate::error::HttpError;
use crate::urlencoded;

/// Names with their values, in the order they came; a name may come several times (Werkzeug's `MultiDict`).
///
/// ```
/// use dewar::MultiDict;
///
/// let args = MultiDict::parse("page=2&tag=a&tag=b&page=x");
/// assert_eq!(args.get("page"), Some("2"));
/// assert_eq!(args.get_as::<u32>("page"), Some(2));
/// assert_eq!(args.getlist("tag"), ["a", "b"]);
/// assert_eq!(args.lists().collect::<Vec<_>>(), [("page", vec!["2", "x"]), ("tag", vec!["a", "b"])]);
/// assert_eq!(args.require("name").unwrap_err().status(), 400);
/// ```
#[derive(Clone, Default)]
pub struct MultiDict {
    pairs: Vec<(String, String)>,
    /// Where the pairs of each name are, once that was asked for. Few are compared one by one; many are what a client
    /// sends so that looking for each of them takes for ever.
    places: OnceLock<HashMap<String, Vec<u32>>>,
}

/// So many pairs are compared one by one.
const FEW: usize = 32;

impl MultiDict {
    /// Parses `application/x-www-form-urlencoded` text as Flask does: blank values are kept, and escapes that make no
    /// UTF-8 stay escapes (`%FF`), as does a `%` that begins none.
    pub fn parse(urlencoded: &str) -> MultiDict {
        urlencoded::pairs(urlencoded).collect()
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.of(name).next()
    }

    /// The first value of `name` as a `T`; `None` when it is missing or does not parse, as Flask's `get(…, type=int)`.
    pub fn get_as<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// The first value of `name`, which must be there (Flask: `args["name"]`).
    ///
    /// # Errors
    /// 400 (Werkzeug: `BadRequestKeyError`), which names the key when the app's `DEBUG` is set.
    pub fn require(&self, name: &str) -> Result<&str, HttpError> {
        self.get(name).ok_or_else(|| HttpError::bad_request_key(name))
    }

    /// All values of `name`, in order.
    pub fn getlist(&self, name: &str) -> Vec<&str> {
        self.of(name).collect()
    }

    /// The values of `name` that are a `T`, in order; what does not parse is left out (Flask: `getlist(…, type=int)`).
    pub fn getlist_as<T: FromStr>(&self, name: &str) -> Vec<T> {
        self.of(name).filter_map(|value| value.parse().ok()).collect()
    }

    /// The first value of each name (Flask: `to_dict()`).
    pub fn to_dict(&self) -> BTreeMap<&str, &str> {
        let mut first = BTreeMap::new();
        for (name, value) in self.iter() {
            first.entry(name).or_insert(value);
        }
        first
    }

    /// Each name with all its values, in the order the names first came (Flask: `lists()`, `to_dict(flat=False)`).
    pub fn lists(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.keys().map(|name| (name, self.getlist(name)))
    }

    fn of<'d: 'n, 'n>(&'d self, name: &'n str) -> impl Iterator<Item = &'d str> + use<'d, 'n> {
        let few = if self.pairs.len() <= FEW { self.pairs.as_slice() } else { &[] };
        let places = if few.is_empty() { self.places().get(name).map_or(&[][..], Vec::as_slice) } else { &[] };
        let few = few.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str());
        few.chain(places.iter().map(|place| self.pairs[*place as usize].1.as_str()))
    }

    fn places(&self) -> &HashMap<String, Vec<u32>> {
        self.places.get_or_init(|| {
            let mut places: HashMap<String, Vec<u32>> = HashMap::new();
            for (place, (name, _)) in (0..).zip(&self.pairs) {
                match places.get_mut(name) {
                    Some(known) => known.push(place),
                    None => _ = places.insert(name.clone(), vec![place]),
                }
            }
            places
        })
    }

    /// Each name once, in the order they first came.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let mut seen = std::collections::HashSet::new();
        self.pairs.iter().map(|(n, _)| n.as_str()).filter(move |name| seen.insert(*name))
    }

    /// Whether `name` came at all.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All pairs, in the order they came. (Flask's `items(multi=True)` groups them by name.)
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Adds a pair at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.pairs.push((name.into(), value.into()));
        self.places = OnceLock::new();
    }
}

impl PartialEq for MultiDict {
    fn eq(&self, other: &MultiDict) -> bool {
        self.pairs == other.pairs
    }
}

impl Eq for MultiDict {}

impl fmt::Debug for MultiDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for MultiDict {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        MultiDict { pairs, places: OnceLock::new() }
    }
}
