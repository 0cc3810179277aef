//! Each route, from what was said of it to a rule of the router and a view.

use std::any::TypeId;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

use http::Method;

use super::super::blueprint::join;
use super::super::handler::View;
use super::super::route::{ViewDef, no_view};
use super::super::scaffold::{Mistake, RouteDef};
use super::{Flat, Outer, dotted};
use crate::bridge::{self, LoopPolicy};
use crate::ctx::{ArgsLeft, RuleInfo};
use crate::extract::Shape;
use crate::routing::{Kind, Rule, ViewArg};

/// A view, for the rules that have its endpoint but no view of their own.
pub(super) struct EndpointView {
    pub(super) id: TypeId,
    pub(super) at: &'static Location<'static>,
    pub(super) run: View,
    pub(super) shape: Rc<Shape>,
    pub(super) name: &'static str,
}

/// A rule that waits for the view of its endpoint.
pub(super) struct WithoutView {
    rule: usize,
    kinds: Vec<(String, Kind)>,
    policy: Option<LoopPolicy>,
    /// Whether it can do without.
    optional: bool,
}

impl Flat<'_> {
    pub(super) fn add_route(&mut self, route: RouteDef, outer: &Outer<'_>) {
        let at = route.view.at;
        let text = join(&outer.prefix, &route.rule);
        let options = route.options;
        let host = match (self.hosts.host_matching, self.hosts.subdomain_matching) {
            (true, _) => options.host,
            (_, matching) => {
                let general = Some(&self.url_map.default_subdomain).filter(|_| matching).cloned();
                options.subdomain.or_else(|| outer.subdomain.clone()).or(general)
            }
        };
        let parsed = Rule::parse(&text, &self.url_map.converters)
            .and_then(|rule| rule.on_host(&host.unwrap_or_default(), &self.url_map.converters));
        let rule = match parsed {
            Ok(rule) => rule,
            Err(error) => {
                self.mistakes.push(Mistake { at, what: error.to_string() });
                return;
            }
        };

        let mut methods = route.methods;
        let automatic = route.automatic_options.unwrap_or(self.settings.automatic_options);
        let automatic = automatic && !methods.contains(&Method::OPTIONS);
        if automatic {
            methods.push(Method::OPTIONS);
        }
        let mut defaults = outer.defaults.clone();
        for (name, value) in route.defaults {
            match defaults.iter_mut().find(|(known, _)| *known == name) {
                Some((_, general)) => *general = value,
                None => defaults.push((name, value)),
            }
        }
        let mut kinds = kinds(&rule, &defaults);
        let rule = rule
            .methods(methods)
            .defaults(defaults)
            .strict_slashes(options.strict_slashes.unwrap_or(self.url_map.strict_slashes))
            .merge_slashes(options.merge_slashes.unwrap_or(self.url_map.merge_slashes))
            .alias(options.alias)
            .build_only(options.build_only);
        let args: Vec<String> = kinds.iter().map(|(name, _)| name.clone()).collect();
        if let Some(what) = options.redirect_to.as_ref().and_then(|to| to.mistake(&args)) {
            self.mistakes.push(Mistake { at, what: format!("rule `{text}`: {what}") });
        }
        let left = args_left(&args, &outer.taken);
        kinds.retain(|(name, _)| !outer.taken.contains(name));

        let endpoint = route.endpoint.map(|endpoint| dotted(&outer.name, &endpoint)).unwrap_or_default();
        let is_none = route.view.is_none();
        let ViewDef { run, shape, id, name, .. } = route.view;
        if is_none {
            let optional = options.build_only || options.redirect_to.is_some();
            let rule = self.rules.len();
            self.without_view.push(WithoutView { rule, kinds, policy: route.loop_policy, optional });
        } else {
            self.check_view(&text, &kinds, &shape, name, at);
            let view = EndpointView { id, at, run: run.clone(), shape: Rc::new(shape), name };
            if !endpoint.is_empty() {
                self.add_view(&endpoint, view);
            }
        }
        let blueprint = outer.name.clone();
        self.rules.push(RuleInfo { text, blueprint, endpoint: endpoint.clone(), at, args, left });
        self.router.add(rule, endpoint);
        self.frozen.views.push(with_policy(route.loop_policy, run));
        self.frozen.redirects.push(options.redirect_to);
        self.frozen.automatic_options.push(automatic);
        self.frozen.chains.push(outer.chain.into());
    }

    pub(super) fn add_view(&mut self, endpoint: &str, view: EndpointView) {
        let (id, at) = (view.id, view.at);
        let known = self.endpoints.entry(endpoint.to_owned()).or_insert(view);
        if known.id != id {
            let what = format!(
                "the endpoint `{endpoint}` belongs to another view already, registered at {}: give one of them another \
                 name with `.endpoint(\"…\")`",
                known.at
            );
            self.mistakes.push(Mistake { at, what });
        }
    }

    /// Gives the rules that were added for an endpoint its view.
    pub(super) fn find_views(&mut self) {
        for WithoutView { rule, kinds, policy, optional } in std::mem::take(&mut self.without_view) {
            let RuleInfo { text, endpoint, at, .. } = &self.rules[rule];
            let (text, at) = (text.clone(), *at);
            match self.endpoints.get(endpoint) {
                Some(view) => {
                    self.frozen.views[rule] = with_policy(policy, view.run.clone());
                    let (shape, name) = (Rc::clone(&view.shape), view.name);
                    self.check_view(&text, &kinds, &shape, name, at);
                }
                None if optional => {}
                None => self.mistakes.push(no_view(&text, endpoint, at)),
            }
        }
    }
}

fn with_policy(policy: Option<LoopPolicy>, run: View) -> View {
    match policy {
        None => run,
        Some(policy) => Arc::new(move |ctx| bridge::with_policy(policy, || run(ctx))),
    }
}

/// What is left of a rule's arguments when some are taken; `None`: all.
fn args_left(args: &[String], taken: &[String]) -> Option<ArgsLeft> {
    if args.iter().all(|name| !taken.contains(name)) {
        return None;
    }
    let left = args.iter().enumerate().filter(|(_, name)| !taken.contains(name));
    let (places, names) = left.map(|(place, name)| (place, name.clone())).unzip();
    Some(ArgsLeft { names, places })
}

/// A rule's variables, then the defaults for names that are not among them.
fn kinds(rule: &Rule, defaults: &[(String, ViewArg)]) -> Vec<(String, Kind)> {
    let mut kinds: Vec<_> = rule.variables().map(|(name, kind)| (name.to_owned(), kind)).collect();
    for (name, value) in defaults {
        if kinds.iter().all(|(known, _)| known != name) {
            let kind = match value {
                ViewArg::Int(_) => Kind::Int,
                ViewArg::Float(_) => Kind::Float,
                ViewArg::Uuid(_) => Kind::Uuid,
                _ => Kind::String,
            };
            kinds.push((name.clone(), kind));
        }
    }
    kinds
}
