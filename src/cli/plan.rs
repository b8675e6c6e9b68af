//! `footbridge plan`: which fields of which records would change. Writes nothing.

use std::io::Write;
use std::path::Path;

use super::arguments::{Format, PlanArguments};
use super::connect::{Purpose, budget};
use super::exit::Exit;
use super::failure::Failure;
use super::ground::Place;
use super::repository::Repository;
use super::show::{options, outline, print};
use super::world::World;
use crate::diag::Code;
use crate::plan::Plan;
use crate::render::plan::Outline;

/// Runs the command.
pub async fn run(world: &World, arguments: &PlanArguments) -> Result<Exit, Failure> {
    if arguments.format == Format::Github {
        world.annotate();
    }
    if let Some(base) = &arguments.base {
        return super::ci::review(world, arguments, base).await;
    }
    let repository = Repository::load(world, arguments.env)?;
    let place = repository.place(world);
    let names: Vec<&str> = if arguments.names.is_empty() {
        let all = place.repository.integrations.values();
        let wanted = all.filter(|i| i.environments.contains_key(&arguments.env) && i.has_label(&arguments.label));
        wanted.map(|i| i.name.value.as_str()).collect()
    } else {
        arguments.names.iter().map(String::as_str).collect()
    };
    if names.is_empty() {
        let help = format!("add `{}: {{}}` under `environments:` of an integration", arguments.env);
        return Err(super::nothing_chosen(arguments.env, &arguments.label).help(help));
    }
    if names.len() > 1 && arguments.out.is_some() {
        return Err(Failure::usage(Code::NothingNamed, "a plan file holds one integration")
            .help("name the one: `footbridge plan NAME --out FILE`"));
    }
    let mut exit = Exit::Done;
    // Only who names one gets one, however many the repository has.
    if arguments.names.len() != 1 {
        world.several();
    }
    for name in &names {
        match one(&place, name, arguments).await {
            Ok((plan, outline)) => {
                if arguments.detailed_exitcode && !plan.is_empty() {
                    exit = exit.and(Exit::Changes);
                }
                print(world, &outline, &plan)?;
            }
            // One integration's failure never hides another's plan.
            Err(failure) if names.len() > 1 => {
                exit = exit.and(failure.exit);
                super::tell(world, &failure);
            }
            Err(failure) => return Err(failure),
        }
        world.end_document();
    }
    Ok(exit)
}

async fn one(place: &Place<'_>, name: &str, arguments: &PlanArguments) -> Result<(Plan, Outline), Failure> {
    let target = place.target(place.integration(name)?, arguments.env)?;
    let world = place.world;
    let mut outline = outline(world, arguments.format, options(world, arguments.full));
    let planned = place.plan(target, Purpose::Plan, budget(world), &mut outline).await?;
    if let Some(out) = &arguments.out {
        let path = world.here.join(out);
        write(&path, &planned.plan).map_err(|e| Failure::io("write the plan file", &path, &e))?;
        world.say(&format!("wrote {} (holds personal data: do not commit it)", out.display()));
    }
    Ok((planned.plan, outline))
}

/// Writes a plan file that only its owner can read, at once or not at all; compressed if it is called `….zst`.
pub(super) fn write(path: &Path, plan: &Plan) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is made with mode 0600 and keeps it.
    let file = tempfile::Builder::new().prefix(".plan-").tempfile_in(folder)?;
    let out = std::io::BufWriter::with_capacity(1 << 18, file.as_file());
    let packed = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zst"));
    let mut out = if packed { plan.write_compressed(out) } else { plan.write(out) }?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}
