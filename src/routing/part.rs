//! A rule cut at its slashes: the steps that the matcher takes, and which of two it tries first.

use super::{
    conv::Conv,
    rule::{Piece, Rule},
    segment::{self, Element, Spans},
};

/// One step through the tree.
#[derive(Debug)]
pub(super) enum Step {
    /// A segment that is exactly this.
    Static(String),
    Dynamic(Part),
}

/// A segment with variables, or, from the first variable on that takes slashes, the rest of the path.
#[derive(Debug)]
pub(super) struct Part {
    elements: Box<[Element]>,
    /// Takes all that is left of the path.
    pub(super) takes_rest: bool,
    /// Was followed by a slash at the end of the rule, as in `/<path:folder>/`.
    pub(super) slash_after: bool,
    pub(super) weight: Weight,
}

/// The lower comes first: more literals, longer literals, more variables, lighter converters.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight {
    literal_count: i32,
    literals: Vec<(usize, i32)>,
    variable_count: i32,
    converters: Vec<i32>,
}

/// What a text gave when it was matched against a part that takes the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rest {
    No,
    Whole,
    /// All but the slash at its end.
    WithoutSlash,
}

impl Part {
    /// Whether this and another are one branch of the tree.
    pub(super) fn same(&self, other: &Part) -> bool {
        let same = |(a, b): (&Element, &Element)| match (a, b) {
            (Element::Literal(a), Element::Literal(b)) => a == b,
            (Element::Variable(a), Element::Variable(b)) => a.same_form(b),
            _ => false,
        };
        self.elements.len() == other.elements.len()
            && self.elements.iter().zip(&other.elements).all(same)
            && (self.takes_rest, self.slash_after) == (other.takes_rest, other.slash_after)
            && self.weight == other.weight
    }

    /// Matches one segment.
    pub(super) fn segment(&self, text: &str, spans: Spans<'_>) -> bool {
        segment::matches(&self.elements, text, spans)
    }

    /// Matches the rest of a path.
    pub(super) fn rest(&self, text: &str, spans: Spans<'_>) -> Rest {
        let (text, yes) = match text.strip_suffix('/') {
            // Two slashes at the end are not one slash and a value that ends with the other.
            Some(before) if self.slash_after && before.ends_with('/') => return Rest::No,
            Some(before) if self.slash_after => (before, Rest::WithoutSlash),
            _ => (text, Rest::Whole),
        };
        match segment::matches(&self.elements, text, spans) {
            true => yes,
            false => Rest::No,
        }
    }
}

/// The first step of a rule that is for one host.
pub(super) fn host_step(rule: &Rule) -> Option<Step> {
    let mut open = Open::default();
    for piece in &rule.domain()?.pieces {
        open.piece(piece, rule);
    }
    Some(open.close(false))
}

/// The steps of a rule, beginning after its first slash.
pub(super) fn steps(rule: &Rule) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut open = Open::default();
    let mut after_slash = false;
    for piece in &rule.pieces {
        match piece {
            // As many slashes as there are are one, unless the rule says otherwise.
            Piece::Slash if after_slash && rule.merges_slashes() => continue,
            Piece::Slash if open.takes_rest => open.push("/"),
            Piece::Slash => steps.push(std::mem::take(&mut open).close(false)),
            other => open.piece(other, rule),
        }
        after_slash = matches!(piece, Piece::Slash);
    }
    let slash_after = open.takes_rest && after_slash;
    if slash_after && let Some(Element::Literal(literal)) = open.elements.last_mut() {
        literal.pop();
        if literal.is_empty() {
            open.elements.pop();
        }
    }
    steps.push(open.close(slash_after));
    if slash_after {
        steps.push(Step::Static(String::new()));
    }
    // The empty text before the first slash.
    steps.remove(0);
    steps
}

/// A part that is being read.
#[derive(Default)]
struct Open {
    elements: Vec<Element>,
    takes_rest: bool,
    weight: Weight,
}

impl Open {
    fn piece(&mut self, piece: &Piece, rule: &Rule) {
        match piece {
            Piece::Slash => self.push("/"),
            Piece::Literal(text) => {
                self.weight.literal_count -= 1;
                let length = text.chars().count() as i32;
                let index = self.weight.literals.len();
                self.weight.literals.push((index, -length));
                self.push(text);
            }
            Piece::Variable(index) => self.variable(&rule.variables[*index].conv),
        }
    }

    fn push(&mut self, text: &str) {
        match self.elements.last_mut() {
            Some(Element::Literal(literal)) => literal.push_str(text),
            _ => self.elements.push(Element::Literal(text.to_owned())),
        }
    }

    fn variable(&mut self, conv: &Conv) {
        self.weight.variable_count -= 1;
        self.weight.converters.push(conv.weight());
        self.takes_rest |= !conv.part_isolating();
        self.elements.push(Element::Variable(conv.clone()));
    }

    fn close(self, slash_after: bool) -> Step {
        let mut elements = self.elements;
        match elements.as_mut_slice() {
            [] => Step::Static(String::new()),
            [Element::Literal(text)] => Step::Static(std::mem::take(text)),
            _ => Step::Dynamic(Part {
                elements: elements.into(),
                takes_rest: self.takes_rest,
                slash_after,
                weight: self.weight,
            }),
        }
    }
}
