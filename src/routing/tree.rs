//! The tree of steps that all rules make together, and the walk through it.
//!
//! A node stands for what has been read of a path. From it lead *static* branches, by the exact text
//! of the next segment, and *dynamic* ones, in the order of their weights. The walk takes the static
//! one first; where it leads nowhere it comes back and tries the dynamic ones in turn. Each node has
//! one way to it, so a walk sees each node at most once, whatever the path is.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::{
    methods::{Methods, Wanted},
    part::{self, Part, Rest, Step},
    rule::Rule,
};

/// The place of a node in the tree.
type NodeId = u32;

#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Branches by host, each to a root of its own; rules for no host in particular begin at node 0.
    hosts: Option<Box<Node>>,
    /// The methods of the rules, by their ids: asked for only when a rule does not fit the method.
    methods: Vec<Methods>,
}

#[derive(Debug, Default)]
struct Node {
    statics: Statics,
    dynamics: Vec<(Part, NodeId)>,
    /// The rules that end here, in the order of registration.
    leaves: Vec<Leaf>,
}

/// What the walk asks of a rule, close together.
#[derive(Debug)]
struct Leaf {
    rule: u32,
    any_method: bool,
    strict_slashes: bool,
    has_other_methods: bool,
    method_bits: u16,
}

/// How a walk ended well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    /// At this rule.
    Rule(u32),
    /// At this rule, if the path had a slash more at its end.
    SlashMissing(u32),
}

/// The values' places in a path.
#[derive(Debug)]
pub(super) struct Places {
    places: [(u32, u32); 16],
    len: usize,
}

/// One walk through the tree.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    tree: &'a Tree,
    /// A host, perhaps none, and the path from `path_at` on.
    text: &'a str,
    path_at: usize,
    wanted: Wanted<'a>,
    pub(super) places: Places,
    /// The methods of the rules that fit but for the method.
    pub(super) allowed: Methods,
}

impl Tree {
    pub(super) fn new() -> Tree {
        Tree { nodes: vec![Node::default()], hosts: None, methods: Vec::new() }
    }

    /// Rules are added in the order of their ids.
    pub(super) fn add(&mut self, rule: &Rule) {
        let id = self.methods.len() as u32;
        self.methods.push(rule.methods.clone().unwrap_or_default());
        if rule.is_build_only() {
            return;
        }
        let mut at = 0;
        if let Some(step) = part::host_step(rule) {
            let new = self.nodes.len() as NodeId;
            at = self.hosts.get_or_insert_default().branch(step, new);
            if at == new {
                self.nodes.push(Node::default());
            }
        }
        for step in part::steps(rule) {
            let new = self.nodes.len() as NodeId;
            at = self.nodes[at as usize].branch(step, new);
            if at == new {
                self.nodes.push(Node::default());
            }
        }
        let methods = &self.methods[id as usize];
        self.nodes[at as usize].leaves.push(Leaf {
            rule: id,
            any_method: rule.methods.is_none(),
            strict_slashes: rule.is_strict(),
            has_other_methods: !methods.more.is_empty(),
            method_bits: methods.bits,
        });
    }
}

impl Node {
    /// Where a step leads to: to a node that is known, or, from now on, to `new`.
    fn branch(&mut self, step: Step, new: NodeId) -> NodeId {
        let known = match &step {
            Step::Static(text) => self.statics.get(text),
            Step::Dynamic(part) => {
                let known = self.dynamics.iter().find(|(known, _)| known.same(part));
                known.map(|(_, id)| *id)
            }
        };
        if let Some(known) = known {
            return known;
        }
        match step {
            Step::Static(text) => self.statics.insert(text, new),
            Step::Dynamic(part) => {
                // After those of equal weight: they keep the order of registration.
                let after = |(known, _): &(Part, _)| known.weight <= part.weight;
                let index = self.dynamics.partition_point(after);
                self.dynamics.insert(index, (part, new));
            }
        }
        new
    }
}

impl<'a> Walk<'a> {
    /// Of a host and a path as one text; the path begins at `path_at`.
    pub(super) fn new(tree: &'a Tree, text: &'a str, path_at: usize, wanted: Wanted<'a>) -> Walk<'a> {
        Walk {
            tree,
            text,
            path_at,
            wanted,
            places: Places { places: [(0, 0); 16], len: 0 },
            allowed: Methods::default(),
        }
    }

    pub(super) fn wanted(&self) -> Wanted<'a> {
        self.wanted
    }

    /// Walks the path from the root of its host. Slashes at its beginning, none or many, are one.
    pub(super) fn start(&mut self) -> Option<End> {
        let (text, path_at) = (self.text, self.path_at);
        let path = &text[path_at..];
        let slashes = path.len() - path.trim_start_matches('/').len();
        let at = (!path.is_empty()).then_some(path_at + slashes);
        if path_at == 0 {
            // No host is the host of the rules that have none, and a variable that takes the empty text.
            if let Some(end) = self.node(0, at) {
                return Some(end);
            }
        }
        self.host(at)
    }

    fn host(&mut self, at: Option<usize>) -> Option<End> {
        let hosts = self.tree.hosts.as_deref()?;
        let host = &self.text[..self.path_at];
        if let Some(root) = hosts.statics.get(host)
            && let Some(end) = self.node(root, at)
        {
            return Some(end);
        }
        for (part, root) in &hosts.dynamics {
            let before = self.places.len;
            let places = &mut self.places;
            if part.segment(host, &mut |start, end| places.push(start, end))
                && let Some(end) = self.node(*root, at)
            {
                return Some(end);
            }
            self.places.len = before;
        }
        None
    }

    /// Walks on from a node. What is left of the path begins at `at`; `None` if it has been read to its
    /// end, which is not the same as an empty segment at the end, after a slash.
    fn node(&mut self, node: NodeId, at: Option<usize>) -> Option<End> {
        let tree = self.tree;
        let node = &tree.nodes[node as usize];
        let Some(at) = at else {
            return self.end(node);
        };
        let text = self.text;
        let rest = &text[at..];
        let (segment, next) = match rest.bytes().position(|b| b == b'/') {
            Some(slash) => (&rest[..slash], Some(at + slash + 1)),
            None => (rest, None),
        };

        if let Some(child) = node.statics.get(segment)
            && let Some(end) = self.node(child, next)
        {
            return Some(end);
        }
        for (part, child) in &node.dynamics {
            let before = self.places.len;
            let places = &mut self.places;
            let mut spans = |start: usize, end: usize| places.push(at + start, at + end);
            let next = if part.takes_rest {
                match part.rest(rest, &mut spans) {
                    Rest::No => continue,
                    Rest::Whole => None,
                    Rest::WithoutSlash => Some(text.len()),
                }
            } else if part.segment(segment, &mut spans) {
                next
            } else {
                continue;
            };
            if let Some(end) = self.node(*child, next) {
                return Some(end);
            }
            self.places.len = before;
        }
        // One slash too many is fine with rules that are not strict.
        if rest.is_empty() {
            let lenient = node.leaves.iter().filter(|leaf| !leaf.strict_slashes);
            return self.choose(lenient);
        }
        None
    }

    /// The path has been read; the rules here match, or those behind one more slash would.
    fn end(&mut self, node: &'a Node) -> Option<End> {
        if let Some(end) = self.choose(node.leaves.iter()) {
            return Some(end);
        }
        let slash = node.statics.get("")?;
        let mut behind = self.tree.nodes[slash as usize].leaves.iter();
        let leaf = behind.find(|leaf| self.is_wanted(leaf))?;
        Some(match leaf.strict_slashes {
            true => End::SlashMissing(leaf.rule),
            false => End::Rule(leaf.rule),
        })
    }

    /// The first that is for the method; of those before, the methods are noted.
    fn choose(&mut self, leaves: impl Iterator<Item = &'a Leaf>) -> Option<End> {
        for leaf in leaves {
            if self.is_wanted(leaf) {
                return Some(End::Rule(leaf.rule));
            }
            self.allowed.bits |= leaf.method_bits;
            if leaf.has_other_methods {
                self.allowed.extend(&self.tree.methods[leaf.rule as usize]);
            }
        }
        None
    }

    fn is_wanted(&self, leaf: &Leaf) -> bool {
        leaf.any_method
            || leaf.method_bits & self.wanted.bit != 0
            || leaf.has_other_methods && self.wanted.is_in(&self.tree.methods[leaf.rule as usize])
    }
}

impl Places {
    pub(super) fn get(&self, i: usize) -> (u32, u32) {
        self.places[i]
    }

    fn push(&mut self, start: usize, end: usize) {
        // `Rule::parse` and `Router::find` keep both bounds.
        self.places[self.len] = (start as u32, end as u32);
        self.len += 1;
    }
}

/// The static branches of a node. Few are compared one by one, many are looked up.
#[derive(Debug)]
enum Statics {
    Few(Vec<(Box<str>, NodeId)>),
    Many(HashMap<Box<str>, NodeId, BuildHasherDefault<SegmentHasher>>),
}

const FEW: usize = 4;

impl Default for Statics {
    fn default() -> Statics {
        Statics::Few(Vec::new())
    }
}

impl Statics {
    fn get(&self, segment: &str) -> Option<NodeId> {
        match self {
            Statics::Few(few) => {
                let found = few.iter().find(|(text, _)| **text == *segment);
                found.map(|(_, id)| *id)
            }
            Statics::Many(many) => many.get(segment).copied(),
        }
    }

    fn insert(&mut self, segment: String, id: NodeId) {
        match self {
            Statics::Few(few) if few.len() == FEW => {
                let mut many: HashMap<_, _, _> = few.drain(..).collect();
                many.insert(segment.into(), id);
                *self = Statics::Many(many);
            }
            Statics::Few(few) => few.push((segment.into(), id)),
            Statics::Many(many) => {
                many.insert(segment.into(), id);
            }
        }
    }
}

/// A quick hash without a secret, eight bytes at a time.
///
/// A secret is for tables that strangers fill. This one holds the rules' own texts and never changes
/// after that: whoever sends paths chooses what is looked up, and the worst they find is the longest
/// run of keys that the rules themselves have made.
#[derive(Clone, Copy, Debug, Default)]
struct SegmentHasher(u64);

impl SegmentHasher {
    fn add(&mut self, word: u64) {
        // An odd number without a pattern; any such will do. The lower half of the product has little
        // of the word's last bytes in it, the upper half little of the first: together they have all.
        let product = u128::from(self.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for SegmentHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.len() as u64;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        // The rest as one word, some of its bytes twice; the length above tells such texts apart.
        let n = rest.len();
        if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            self.add(u64::from(first) | u64::from(last) << 32);
        } else if n > 0 {
            let word = [rest[0], rest[n / 2], rest[n - 1], 0];
            self.add(u32::from_le_bytes(word).into());
        }
    }

    fn write_u8(&mut self, _end: u8) {
        // A text ends itself with a byte that is always the same.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
