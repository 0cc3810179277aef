//! Redirects to the rule that values belong to: the one whose defaults they are, or the one behind an alias.

use super::{
    args::Args,
    build,
    router::{ByEndpoint, Entry, Found, Router},
    tree::Walk,
    url::UrlValue,
};

impl Router {
    /// Where the values belong, if it is another rule.
    #[cold]
    pub(super) fn canonical(&self, id: u32, entry: &Entry, walk: &Walk<'_>, args: &Args, text: &str) -> Option<Found> {
        let names = entry.rule.arguments();
        let values: Vec<(&str, UrlValue)> =
            names.zip(args.iter(text)).map(|(name, value)| (name, value.to_view_arg().into())).collect();
        let of_endpoint = self.by_endpoint.get(&entry.endpoint).into_iter().flatten().copied();
        // The aliases are the last of an endpoint's.
        let of_alias = of_endpoint.filter(|other| entry.alias && *other != id && !self.entries[*other as usize].alias);
        for other in of_alias.chain(entry.better.iter().copied()) {
            let rule = &self.entries[other as usize].rule;
            let is_for_method = rule.methods.as_ref().is_none_or(|methods| walk.wanted().is_in(methods));
            if is_for_method
                && build::is_suitable(rule, None, &values)
                && let Ok(built) = build::parts(rule, &values, false)
            {
                return Some(Found::Canonical { host: built.host, path: built.path });
            }
        }
        None
    }
}

/// Finds for each rule those that stand for it where its values are their defaults: of its endpoint, and before it in
/// the order in which URLs are built.
pub(super) fn redirects(by_endpoint: &ByEndpoint, entries: &mut [Entry]) {
    // Views without a name have no endpoint in common.
    for (_, ids) in by_endpoint.iter().filter(|(endpoint, _)| !endpoint.is_empty()) {
        for (i, id) in ids.iter().enumerate() {
            let rule = &entries[*id as usize].rule;
            let earlier = ids[..i].iter().copied();
            let better = earlier.filter(|other| entries[*other as usize].rule.stands_for(rule)).collect();
            entries[*id as usize].better = better;
        }
    }
}
