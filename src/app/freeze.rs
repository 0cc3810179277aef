//! From what was registered to what answers: everything is checked here, and every mistake reported at once.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

use http::Method;

use super::App;
use super::blueprint::join;
use super::frozen::{AppService, Frozen, Scope};
use super::scaffold::{Hook, Mistake, RouteDef, Scaffold};
use crate::bridge::{self, LoopPolicy};
use crate::config::{Config, Settings};
use crate::ctx::{RuleInfo, Site, TypeMap};
use crate::extract::Shape;
use crate::routing::{Converters, Kind, RouterBuilder, Rule, ViewArg};
#[cfg(feature = "static_files")]
use crate::static_files::StaticRoute;
#[cfg(feature = "templates")]
use crate::templates::ContextProcessors;

/// What is wrong with an app's set-up: all of it, each mistake with the line of its registration.
#[derive(Clone)]
pub struct SetupErrors {
    app: String,
    mistakes: Vec<Mistake>,
}

impl SetupErrors {
    /// The mistakes, each as `file:line:column: text`.
    pub fn messages(&self) -> impl Iterator<Item = String> {
        self.mistakes.iter().map(|mistake| format!("{}: {}", mistake.at, mistake.what))
    }
}

impl fmt::Display for SetupErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.mistakes.len();
        write!(f, "the app `{}` has {n} mistake{} in its set-up:", self.app, if n == 1 { "" } else { "s" })?;
        self.messages().try_for_each(|message| write!(f, "\n  {message}"))
    }
}

impl fmt::Debug for SetupErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for SetupErrors {}

pub(super) fn freeze(mut app: App) -> Result<AppService, SetupErrors> {
    let mut mistakes = std::mem::take(&mut app.scaffold.mistakes);
    let root_path = app.root_path.take().or_else(|| std::env::current_dir().ok()).unwrap_or_default();

    let settings = match app.config.settings() {
        Ok(settings) => settings,
        Err(wrong) => {
            mistakes.extend(wrong.into_iter().map(|(what, at)| Mistake { at, what }));
            Config::new().settings().expect("an empty configuration has only defaults")
        }
    };
    let parts = parts(&mut app, &root_path, &settings, &mut mistakes);
    #[cfg(feature = "templates")]
    let templates = {
        app.jinja_env();
        std::mem::take(&mut app.templates)
    };

    let mut flat = Flat {
        converters: &app.converters,
        states: &app.states,
        settings: &settings,
        router: RouterBuilder::new(),
        rules: Vec::new(),
        frozen: Tables::default(),
        endpoints: HashMap::new(),
        blueprints: HashMap::new(),
        #[cfg(feature = "templates")]
        template_folders: Vec::new(),
        #[cfg(feature = "templates")]
        context_processors: ContextProcessors::default(),
        mistakes,
    };
    let loop_policy = app.scaffold.loop_policy;
    flat.take_in(app.scaffold, "", "", &[], None);
    #[cfg(feature = "templates")]
    let parts = {
        let (folders, processors) =
            (std::mem::take(&mut flat.template_folders), std::mem::take(&mut flat.context_processors));
        let mut parts = parts;
        match templates.freeze(&root_path, &settings, folders, processors) {
            Ok(templates) => _ = parts.insert(Arc::new(templates)),
            Err(wrong) => flat.mistakes.extend(wrong.into_iter().map(|(what, at)| Mistake { at, what })),
        }
        parts
    };
    let Flat { router, rules, frozen, mistakes, .. } = flat;

    if !mistakes.is_empty() {
        return Err(SetupErrors { app: app.name, mistakes });
    }
    let site = Arc::new(Site {
        name: app.name,
        root_path,
        config: app.config,
        settings,
        router: router.freeze(),
        rules,
        states: app.states,
        parts,
    });
    Ok(AppService(Arc::new(Frozen {
        site,
        views: frozen.views,
        automatic_options: frozen.automatic_options,
        chains: frozen.chains,
        scopes: frozen.scopes,
        loop_policy,
    })))
}

/// The parts that a build may lack: static files, sessions. Templates come when the blueprints are laid flat.
#[cfg_attr(
    not(all(feature = "static_files", feature = "sessions")),
    allow(unused, clippy::ptr_arg, reason = "a build without these features has no use for some of it")
)]
fn parts(app: &mut App, root: &Path, settings: &Settings, mistakes: &mut Vec<Mistake>) -> TypeMap {
    let mut parts = TypeMap::default();
    #[cfg(feature = "static_files")]
    match std::mem::take(&mut app.static_files).freeze(root, app.made_at) {
        Ok(Some(StaticRoute { folder, url_path, at })) => {
            let serve = move |filename: String, ctx: Arc<crate::ctx::Ctx>| {
                crate::static_files::send_from_directory(&ctx, &folder, &filename)
            };
            app.scaffold.get(&join(&url_path, "/<path:filename>"), serve).endpoint("static");
            // Mistakes in it are those of whoever asked for it.
            app.scaffold.routes.last_mut().expect("one was just added").view.at = at;
        }
        Ok(None) => {}
        Err((what, at)) => mistakes.push(Mistake { at, what }),
    }
    #[cfg(feature = "sessions")]
    if let Some(serializer) = crate::session::SessionSerializer::configured(&settings.session) {
        parts.insert(Arc::new(serializer));
    }
    parts
}

/// The tree of blueprints, laid flat.
struct Flat<'a> {
    converters: &'a Converters,
    states: &'a TypeMap,
    settings: &'a Settings,
    router: RouterBuilder,
    rules: Vec<RuleInfo>,
    frozen: Tables,
    /// The view of each endpoint, and where it was registered.
    endpoints: HashMap<String, (TypeId, &'static Location<'static>)>,
    /// Where each blueprint was registered.
    blueprints: HashMap<String, &'static Location<'static>>,
    /// Of blueprints, in the order of registration.
    #[cfg(feature = "templates")]
    template_folders: Vec<(String, std::path::PathBuf, &'static Location<'static>)>,
    #[cfg(feature = "templates")]
    context_processors: ContextProcessors,
    mistakes: Vec<Mistake>,
}

#[derive(Default)]
struct Tables {
    views: Vec<super::handler::View>,
    automatic_options: Vec<bool>,
    chains: Vec<Box<[usize]>>,
    scopes: Vec<Scope>,
}

impl Flat<'_> {
    /// `chain` is the scopes of the blueprints around this one.
    fn take_in(
        &mut self,
        scaffold: Scaffold,
        name: &str,
        prefix: &str,
        chain: &[usize],
        outer_policy: Option<LoopPolicy>,
    ) {
        self.mistakes.extend(scaffold.mistakes);
        #[cfg(feature = "templates")]
        self.context_processors.add(name, scaffold.context_processors);
        let scope = self.frozen.scopes.len();
        // Of two for the same thing the later one counts, so the last comes first.
        let mut by_status = scaffold.by_status;
        by_status.reverse();
        let mut by_type = scaffold.by_type;
        by_type.reverse();
        by_type.sort_by_key(|handler| handler.general);
        for hook in &scaffold.before {
            self.check_hook(hook);
        }
        self.frozen.scopes.push(Scope {
            before: scaffold.before.into_iter().map(|hook| hook.run).collect(),
            after: scaffold.after,
            teardown: scaffold.teardown,
            by_status,
            by_type,
        });
        // The app is scope 0 and in no chain: its hooks run for every request.
        let chain: Vec<usize> = if scope == 0 { Vec::new() } else { chain.iter().copied().chain([scope]).collect() };

        // The app's is in place for the whole request.
        let policy = if scope == 0 { None } else { scaffold.loop_policy.or(outer_policy) };
        for mut route in scaffold.routes {
            route.loop_policy = route.loop_policy.or(policy);
            self.add_route(route, name, prefix, &chain);
        }
        for registration in scaffold.blueprints {
            let blueprint = registration.blueprint;
            let full = dotted(name, &blueprint.name);
            if let Some(first) = self.blueprints.insert(full.clone(), registration.at) {
                let what = format!(
                    "there is a blueprint `{full}` already, registered at {first}: give one of them another name with \
                     `.name(…)`"
                );
                self.mistakes.push(Mistake { at: registration.at, what });
            }
            #[cfg(feature = "templates")]
            if let Some((path, at)) = blueprint.template_folder {
                self.template_folders.push((full.clone(), path, at));
            }
            let prefix = join(prefix, &blueprint.url_prefix);
            self.take_in(blueprint.scaffold, &full, &prefix, &chain, policy);
        }
    }

    fn add_route(&mut self, route: RouteDef, blueprint: &str, prefix: &str, chain: &[usize]) {
        let at = route.view.at;
        let text = join(prefix, &route.rule);
        let rule = match Rule::parse(&text, self.converters) {
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
        let kinds = kinds(&rule, &route.defaults);
        let rule = rule.methods(methods).defaults(route.defaults).strict_slashes(route.strict_slashes);
        self.check_view(&text, &kinds, &route.view.shape, route.view.name, at);

        let endpoint = route.endpoint.map(|endpoint| dotted(blueprint, &endpoint)).unwrap_or_default();
        if !endpoint.is_empty() {
            let (id, first) = *self.endpoints.entry(endpoint.clone()).or_insert((route.view.id, at));
            if id != route.view.id {
                let what = format!(
                    "the endpoint `{endpoint}` belongs to another view already, registered at {first}: give one of \
                     them another name with `.endpoint(\"…\")`"
                );
                self.mistakes.push(Mistake { at, what });
            }
        }
        let args = kinds.into_iter().map(|(name, _)| name).collect();
        self.rules.push(RuleInfo { text, blueprint: blueprint.to_owned(), endpoint: endpoint.clone(), at, args });
        self.router.add(rule, endpoint);
        let run = route.view.run;
        self.frozen.views.push(match route.loop_policy {
            None => run,
            Some(policy) => Box::new(move |ctx| bridge::with_policy(policy, || run(ctx))),
        });
        self.frozen.automatic_options.push(automatic);
        self.frozen.chains.push(chain.into());
    }

    fn check_view(
        &mut self,
        rule: &str,
        kinds: &[(String, Kind)],
        shape: &Shape,
        view: &str,
        at: &'static Location<'static>,
    ) {
        let mut wrong = Vec::new();
        let taken = shape.positional.len();
        if taken != 0 && shape.takes_all.is_some() {
            wrong.push(format!("`{view}` takes view arguments by position and by `Path` too: use one of them"));
        } else if taken != 0 && taken != kinds.len() {
            let types: Vec<_> = shape.positional.iter().map(|need| need.type_name).collect();
            let names: Vec<_> = kinds.iter().map(|(name, kind)| format!("{name}: {kind:?}")).collect();
            let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            wrong.push(format!(
                "rule `{rule}` gives {} view argument{}{names}, but `{view}` takes {taken} ({}): it must take all of \
                 them, in order, or none",
                kinds.len(),
                if kinds.len() == 1 { "" } else { "s" },
                types.join(", "),
            ));
        } else {
            for (need, (name, kind)) in shape.positional.iter().zip(kinds) {
                if !(need.fits)(*kind) {
                    wrong.push(format!(
                        "rule `{rule}`: `<{name}>` is {}, which never gives the `{}` that `{view}` takes there{}",
                        kind_name(*kind),
                        need.type_name,
                        hint(name, need.type_name),
                    ));
                }
            }
        }
        wrong.extend(self.check_shape(shape, view));
        self.mistakes.extend(wrong.into_iter().map(|what| Mistake { at, what }));
    }

    fn check_hook<F>(&mut self, hook: &Hook<F>) {
        let mut wrong = self.check_shape(&hook.shape, hook.name);
        if let Some(need) = hook.shape.positional.first() {
            wrong.push(format!(
                "the hook `{}` takes a `{}`, but hooks get no view arguments: take `Path`, or `Arc<Ctx>`",
                hook.name, need.type_name
            ));
        }
        self.mistakes.extend(wrong.into_iter().map(|what| Mistake { at: hook.at, what }));
    }

    /// What can be said of the arguments without a rule.
    fn check_shape(&self, shape: &Shape, name: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if shape.bodies.len() > 1 {
            wrong.push(format!(
                "`{name}` reads the body {} times: {}. At most one argument may",
                shape.bodies.len(),
                shape.bodies.join(", ")
            ));
        }
        for (id, state) in &shape.states {
            if !self.states.contains(*id) {
                wrong.push(format!(
                    "`{name}` takes `State<{state}>`, but the app has none: call `app.state(…)` with one"
                ));
            }
        }
        wrong
    }
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

fn kind_name(kind: Kind) -> String {
    let name = format!("{kind:?}").to_lowercase();
    let article = if name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// The converter that would give the type.
fn hint(name: &str, wanted: &str) -> String {
    let converter = match wanted {
        "f64" | "f32" => "float",
        wanted if wanted.ends_with("Uuid") => "uuid",
        wanted if wanted.ends_with("PathBuf") => "path",
        wanted if wanted.ends_with("String") => "string",
        _ => "int",
    };
    format!(": write `<{converter}:{name}>`, or take another type")
}

fn dotted(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
}
