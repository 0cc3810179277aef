//! From what was registered to what answers: everything is checked here, and every mistake reported at once.

mod routes;

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use self::routes::{EndpointView, WithoutView};
use super::App;
#[cfg(feature = "static_files")]
use super::RouteMut;
use super::blueprint::join;
use super::frozen::{AppService, Frozen, Scope};
use super::handler::View;
use super::route::{RedirectTo, ViewDef};
use super::scaffold::{Hook, Mistake, Recorded, Scaffold};
use super::url_hooks::UrlScope;
use super::url_map::UrlMap;
use crate::bridge::LoopPolicy;
use crate::config::{Config, Settings};
use crate::ctx::{HostRules, RuleInfo, Site, TypeMap, UrlHooks};
use crate::error;
use crate::extract::Shape;
use crate::json_provider::JsonProvider;
use crate::quiet;
use crate::routing::{Kind, RouterBuilder, ViewArg};
use crate::service::Service;
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
    run_recorded(&mut app);
    let mut mistakes = std::mem::take(&mut app.scaffold.mistakes);
    let (root_path, instance_path) = (app.root(), app.instance_folder());

    let settings = match app.config.settings() {
        Ok(settings) => settings,
        Err(wrong) => {
            mistakes.extend(wrong.into_iter().map(|(what, at)| Mistake { at, what }));
            Config::new().settings().expect("an empty configuration has only defaults")
        }
    };
    for (what, at) in app.config.doubts() {
        log::warn!("{at}: {what}");
    }
    mistakes.extend(app.url_map.mistake());
    let json = json_provider(&mut app, &settings, &mut mistakes);
    let parts = parts(&mut app, &root_path, &settings, &mut mistakes);
    #[cfg(feature = "templates")]
    let templates = {
        app.jinja_env();
        std::mem::take(&mut app.templates)
    };

    let mut flat = Flat {
        url_map: &app.url_map,
        hosts: HostRules {
            host_matching: app.url_map.host_matching,
            subdomain_matching: app.url_map.subdomain_matching,
        },
        states: &app.states,
        settings: &settings,
        router: RouterBuilder::new(),
        rules: Vec::new(),
        frozen: Tables::default(),
        endpoints: HashMap::new(),
        without_view: Vec::new(),
        url_hooks: UrlHooks::default(),
        blueprints: HashMap::new(),
        #[cfg(feature = "templates")]
        template_folders: Vec::new(),
        #[cfg(feature = "templates")]
        context_processors: ContextProcessors::default(),
        mistakes,
    };
    flat.router.merge_slashes(app.url_map.merge_slashes).redirect_defaults(app.url_map.redirect_defaults);
    #[cfg(feature = "cli")]
    let commands = app.commands();
    #[cfg(feature = "cli")]
    flat.mistakes.extend(super::commands::mistakes(&commands));
    let loop_policy = app.scaffold.loop_policy;
    let teardown_appcontext = std::mem::take(&mut app.teardown_appcontext);
    let middleware = std::mem::take(&mut app.middleware);
    flat.take_in(app.scaffold, &Outer::default());
    flat.find_views();
    #[cfg(feature = "templates")]
    let parts = {
        let (folders, processors) =
            (std::mem::take(&mut flat.template_folders), std::mem::take(&mut flat.context_processors));
        let mut parts = parts;
        match templates.freeze(&root_path, &settings, json.as_ref(), folders, processors) {
            Ok(templates) => _ = parts.insert(Arc::new(templates)),
            Err(wrong) => flat.mistakes.extend(wrong.into_iter().map(|(what, at)| Mistake { at, what })),
        }
        parts
    };
    let Flat { router, rules, mut frozen, mistakes, url_hooks, hosts, .. } = flat;
    if frozen.redirects.iter().all(Option::is_none) {
        frozen.redirects.clear();
    }
    let looks_at_hosts = hosts.matched() || settings.trusted_hosts.as_ref().is_some_and(|hosts| !hosts.is_empty());

    if !mistakes.is_empty() {
        return Err(SetupErrors { app: app.name, mistakes });
    }
    let site = Arc::new(Site {
        name: app.name,
        root_path,
        instance_path,
        config: app.config,
        settings,
        json,
        router: router.freeze(),
        rules,
        hosts,
        url_hooks,
        states: app.states,
        parts,
    });
    let settings = site.settings();
    if settings.debug {
        error::keep_backtraces();
        quiet::watch_panics();
    }
    let frozen = Arc::new(Frozen {
        views: frozen.views,
        automatic_options: frozen.automatic_options,
        chains: frozen.chains,
        scopes: frozen.scopes,
        teardown_appcontext,
        redirects: frozen.redirects,
        looks_at_hosts,
        loop_policy,
        propagate: settings.propagate_exceptions.unwrap_or(settings.testing || settings.debug),
        tell_details: settings.debug || settings.trap_bad_request_errors == Some(true),
        #[cfg(feature = "cli")]
        commands,
        site,
    });
    // The first that was given is the innermost.
    let outer = middleware
        .into_iter()
        .fold(None, |inner: Option<Arc<dyn Service>>, wrap| Some(wrap(inner.unwrap_or_else(|| frozen.clone()))));
    Ok(AppService { frozen, outer })
}

/// What blueprints recorded, from the outermost in, in the order of registration.
fn run_recorded(app: &mut App) {
    fn take(scaffold: &mut Scaffold, all: &mut Vec<Recorded>) {
        all.append(&mut scaffold.recorded);
        for registration in &mut scaffold.blueprints {
            take(&mut registration.blueprint.scaffold, all);
        }
    }
    let mut all = Vec::new();
    take(&mut app.scaffold, &mut all);
    for recorded in all {
        recorded(app);
    }
}

/// What prints JSON in place of serde_json, if anything does: the app's own, or Flask's way by `FLASK_JSON`.
fn json_provider(app: &mut App, settings: &Settings, mistakes: &mut Vec<Mistake>) -> Option<JsonProvider> {
    let (mut provider, at) = match app.json.take() {
        Some((provider, at)) => (provider, Some(at)),
        None => (settings.flask_json.then(JsonProvider::default)?, None),
    };
    if let (Err(_), Some(at)) = (provider.content_type(), at) {
        let what = format!("the JSON provider's mimetype {:?} cannot be a header's value", provider.mimetype);
        mistakes.push(Mistake { at, what });
    }
    provider.compact.get_or_insert(!settings.debug);
    Some(provider)
}

/// The parts that a build may lack: static files, sessions. Templates come when the blueprints are laid flat.
#[cfg_attr(
    not(all(feature = "static_files", feature = "sessions")),
    allow(unused, clippy::ptr_arg, reason = "a build without these features has no use for some of it")
)]
fn parts(app: &mut App, root: &Path, settings: &Settings, mistakes: &mut Vec<Mistake>) -> TypeMap {
    let mut parts = TypeMap::default();
    #[cfg(feature = "static_files")]
    {
        let own = std::mem::take(&mut app.static_files).freeze(root, app.made_at);
        let at = own.as_ref().ok().and_then(|folder| Some(folder.as_ref()?.at));
        let route = serve_folder(&mut app.scaffold, own, mistakes);
        match (route, &app.url_map.static_host, at) {
            (Some(route), Some(host), _) => drop(route.host(host)),
            (Some(_), None, Some(at)) if app.url_map.host_matching => {
                let what = "the app matches hosts, so its static files need one: call `app.static_host(…)`";
                mistakes.push(Mistake { at, what: what.to_owned() });
            }
            _ => {}
        }
        blueprints_folders(&mut app.scaffold, root, mistakes);
    }
    #[cfg(feature = "sessions")]
    {
        use crate::session::{Interface, SecureCookieSessionInterface};
        let by_default = || Box::new(SecureCookieSessionInterface::configured(&settings.session)) as _;
        let interface = app.session_interface.take().unwrap_or_else(by_default);
        parts.insert(Arc::new(Interface(interface)));
    }
    parts
}

/// The route of a folder of static files, if there is such a folder.
#[cfg(feature = "static_files")]
fn serve_folder<'s>(
    scaffold: &'s mut Scaffold,
    folder: Result<Option<StaticRoute>, (String, &'static Location<'static>)>,
    mistakes: &mut Vec<Mistake>,
) -> Option<RouteMut<'s>> {
    match folder {
        Ok(Some(StaticRoute { folder, url_path, at })) => {
            let serve = move |filename: String, ctx: Arc<crate::ctx::Ctx>| {
                crate::static_files::send_from_directory(&ctx, &folder, &filename, &Default::default())
            };
            let route = scaffold.get(&join(&url_path, "/<path:filename>"), serve).endpoint("static");
            // Mistakes in it are those of whoever asked for it.
            route.route.view.at = at;
            return Some(route);
        }
        Ok(None) => {}
        Err((what, at)) => mistakes.push(Mistake { at, what }),
    }
    None
}

/// Those of the blueprints, which have none unless they name one.
#[cfg(feature = "static_files")]
fn blueprints_folders(scaffold: &mut Scaffold, root: &Path, mistakes: &mut Vec<Mistake>) {
    for registration in &mut scaffold.blueprints {
        let blueprint = &mut registration.blueprint;
        let setup = std::mem::take(&mut blueprint.static_files);
        if setup.folder.is_some() {
            serve_folder(&mut blueprint.scaffold, setup.freeze(root, registration.at), mistakes);
        }
        blueprints_folders(&mut blueprint.scaffold, root, mistakes);
    }
}

/// The tree of blueprints, laid flat.
struct Flat<'a> {
    url_map: &'a UrlMap,
    hosts: HostRules,
    states: &'a TypeMap,
    settings: &'a Settings,
    router: RouterBuilder,
    rules: Vec<RuleInfo>,
    frozen: Tables,
    /// The view of each endpoint.
    endpoints: HashMap<String, EndpointView>,
    /// Rules that were added for an endpoint alone.
    without_view: Vec<WithoutView>,
    url_hooks: UrlHooks,
    /// Where each blueprint was registered.
    blueprints: HashMap<String, &'static Location<'static>>,
    /// Of blueprints, in the order of registration.
    #[cfg(feature = "templates")]
    template_folders: Vec<(String, std::path::PathBuf, &'static Location<'static>)>,
    #[cfg(feature = "templates")]
    context_processors: ContextProcessors,
    mistakes: Vec<Mistake>,
}

/// What is around a blueprint.
#[derive(Clone, Default)]
struct Outer<'a> {
    /// The dotted name of what is taken in; empty for the app.
    name: String,
    prefix: String,
    subdomain: Option<String>,
    /// The defaults of its rules.
    defaults: Vec<(String, ViewArg)>,
    /// The scopes of the blueprints around it.
    chain: &'a [usize],
    policy: Option<LoopPolicy>,
    /// The arguments that url-value preprocessors take.
    taken: Vec<String>,
}

#[derive(Default)]
struct Tables {
    redirects: Vec<Option<RedirectTo>>,
    views: Vec<View>,
    automatic_options: Vec<bool>,
    chains: Vec<Box<[usize]>>,
    scopes: Vec<Scope>,
}

impl Flat<'_> {
    fn take_in(&mut self, scaffold: Scaffold, outer: &Outer<'_>) {
        self.mistakes.extend(scaffold.mistakes);
        let UrlScope { preprocessors, mut taken, defaults, on_build_error } = scaffold.urls;
        self.url_hooks.defaults.extend(defaults.into_iter().map(|hook| (outer.name.clone(), hook)));
        self.url_hooks.on_error.extend(on_build_error);
        taken.extend(outer.taken.iter().cloned());
        #[cfg(feature = "templates")]
        self.context_processors.add(&outer.name, scaffold.context_processors);
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
            preprocessors,
            before: scaffold.before.into_iter().map(|hook| hook.run).collect(),
            after: scaffold.after,
            teardown: scaffold.teardown,
            by_status,
            by_type,
        });
        // The app is scope 0 and in no chain: its hooks run for every request.
        let chain: Vec<usize> = match scope {
            0 => Vec::new(),
            _ => outer.chain.iter().copied().chain([scope]).collect(),
        };

        // The app's is in place for the whole request.
        let policy = if scope == 0 { None } else { scaffold.loop_policy.or(outer.policy) };
        let inner = Outer { chain: &chain, policy, taken, ..outer.clone() };
        for mut route in scaffold.routes {
            route.loop_policy = route.loop_policy.or(policy);
            self.add_route(route, &inner);
        }
        for (endpoint, view) in scaffold.endpoint_views {
            let ViewDef { run, shape, id, name, at } = view;
            self.add_view(&dotted(&outer.name, &endpoint), EndpointView { id, at, run, shape: Rc::new(shape), name });
        }
        for registration in scaffold.blueprints {
            let blueprint = registration.blueprint;
            let full = dotted(&outer.name, &blueprint.name);
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
            let prefix = join(&outer.prefix, &blueprint.url_prefix);
            let subdomain = match (blueprint.subdomain, &outer.subdomain) {
                (Some(own), Some(outer)) => Some(format!("{own}.{outer}")),
                (own, outer) => own.or_else(|| outer.clone()),
            };
            let defaults = blueprint.url_default;
            self.take_in(blueprint.scaffold, &Outer { name: full, prefix, subdomain, defaults, ..inner.clone() });
        }
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
