//! The environment of an org that a command names.

use crate::cli::compile::nearest;
use crate::cli::connect::Door;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::Place;
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName;

/// Finds an environment by the org's name.
///
/// # Errors
/// No such org, not with this environment, or no log-in of plans.
pub fn chosen<'a>(
    place: &Place<'a>,
    name: &str,
    environment: EnvironmentName,
    plans: bool,
) -> Result<Door<'a>, Failure> {
    let all = &place.repository.orgs;
    let Some((name, org)) = all.get_key_value(name) else {
        let listed = all.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let near = nearest(name, all.keys().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if all.is_empty() => "describe it in integrations/orgs.yaml first".to_owned(),
            None => format!("the orgs are: {listed}"),
        };
        return Err(Failure::usage(Code::UnknownOrg, format!("there is no org `{name}`")).help(help));
    };
    let Some(settings) = org.environments.get(&environment) else {
        let diagnostic = Diagnostic::error(Code::UnknownEnvironment, format!("`{name}` has no {environment}"))
            .at(org.name.span.clone(), "this org")
            .help(format!("add `{environment}:` with its `domain` and `auth` to it"));
        return Err(Failure::new(Exit::Usage, diagnostic));
    };
    let log_in = match (plans, &settings.plan_log_in) {
        (false, _) => &settings.log_in,
        (true, Some(log_in)) => log_in,
        (true, None) => {
            let diagnostic =
                Diagnostic::error(Code::OptionsContradict, format!("`{name}` has no log-in of plans in {environment}"))
                    .at(settings.log_in.span.clone(), "the only log-in")
                    .help("leave `--plans` out, or add `plan_auth:` beside `auth:`");
            return Err(Failure::new(Exit::Usage, diagnostic));
        }
    };
    let Place { world, root, repository, trust: _ } = *place;
    Ok(Door {
        world,
        root,
        project: &repository.project,
        org: name,
        environment,
        settings,
        log_in,
        plans,
        trying: true,
    })
}
