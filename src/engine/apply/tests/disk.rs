//! Journals and locks on a real disk.

use std::io::Write;

use super::fake::{FakeOrg, Trouble};
use super::plans::{id, plan};
use super::{Rig, start};
use crate::apply::journal::Selection;
use crate::apply::org::StopKind;
use crate::apply::{Holder, Journal, JournalProblem, Lock, LockProblem, Remaining, Resumed, unfinished};
use crate::model::OrgId;

fn all() -> Selection {
    Selection::default()
}

#[test]
fn a_journal_holds_all_that_a_resume_needs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join(".footbridge/journal");
    assert!(unfinished(&folder).unwrap().is_empty());
    let plan = plan(&[7; 6]);
    let org = FakeOrg::new(6);
    org.updates.borrow_mut().extend([Trouble::None, Trouble::Stop(StopKind::NotAuthorised)]);
    let mut journal = Journal::start(&folder, &plan, start(all())).unwrap();
    let path = journal.path().to_owned();
    let mut rig = Rig::new(&plan, &org);
    rig.settings.batch = 2;
    rig.run(&mut journal, Remaining::default()).unwrap();
    drop(journal);
    // Killed while writing: the end line is torn.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();

    let found = unfinished(&folder).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].head.run.as_str(), found[0].newer, found[0].finished), ("2026-11-21T090003Z", false, false));
    assert_eq!(found[0].head.records, 6);

    let Resumed { mut journal, plan: copy, remaining } = Resumed::open(&found[0].path).unwrap();
    assert_eq!((&copy.header, &copy.summary, &copy.context), (&plan.header, &plan.summary, &plan.context));
    assert_eq!(copy.all().unwrap(), plan.all().unwrap());
    assert_eq!(remaining.ended.len(), 2);
    let outcomes = Rig::new(&copy, &org).run(&mut journal, remaining).unwrap();
    assert!(outcomes.completed());
    assert_eq!((outcomes.writes, org.state.borrow().writes.len()), (1, 6));
    assert!(unfinished(&folder).unwrap()[0].finished, "the torn line was cut off, so that the new ones are whole");
    journal.close().unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn journals_are_written_as_the_first_version_wrote_them() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(&[1; 4]);
    let mut org = FakeOrg::new(4);
    org.refused = [id(1)].into();
    org.change(2, "Text__c", "theirs");
    org.state.borrow_mut().locks.insert(id(3), 1);
    org.updates.borrow_mut().push_back(Trouble::LostBefore);
    let selection = Selection { limit: Some(9), only: None };
    let mut journal = Journal::start(folder.path(), &plan, start(selection)).unwrap();
    Rig::new(&plan, &org).run(&mut journal, Remaining::default()).unwrap();
    let text = std::fs::read_to_string(journal.path()).unwrap();
    let [zero, one, two, three] = [0, 1, 2, 3].map(id);
    let hidden = |line: &str| match line.split_once("sha256:") {
        Some((head, tail)) => format!("{head}sha256:…{}", &tail[64..]),
        None => line.to_owned(),
    };
    let found: Vec<_> = text.lines().skip(1).map(hidden).collect();
    assert_eq!(
        found,
        [
            format!(r#"{{"ends":{{"ends":[{{"record":"{two}","end":"drifted","fields":["Text__c"]}}]}}}}"#),
            format!(r#"{{"intent":{{"batch":0,"records":["{zero}","{one}","{three}"],"digest":"sha256:…"}}}}"#),
            format!(r#"{{"result":{{"batch":0,"lost":true,"again":["{zero}","{one}","{three}"]}}}}"#),
            format!(r#"{{"intent":{{"batch":1,"records":["{zero}","{one}","{three}"],"digest":"sha256:…"}}}}"#),
            format!(
                r#"{{"refused":{{"ends":[{{"record":"{three}","end":"failed","code":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access to this record"}}]}}}}"#
            ),
            format!(
                r#"{{"result":{{"batch":1,"ends":[{{"record":"{zero}","end":"updated"}},{{"record":"{one}","end":"failed","code":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"not on a Friday","fields":["Text__c"]}}],"again":["{three}"]}}}}"#
            ),
            format!(r#"{{"intent":{{"batch":2,"records":["{three}"],"digest":"sha256:…"}}}}"#),
            format!(r#"{{"result":{{"batch":2,"ends":[{{"record":"{three}","end":"updated"}}]}}}}"#),
            r#"{"finished":{}}"#.to_owned(),
        ]
    );
    let head = text.lines().next().unwrap();
    assert!(head.starts_with(
        r#"{"header":{"format":"footbridge journal/1","run":"2026-11-21T090003Z","started":"2026-11-21T09:00:03Z","integration":"logins-to-leads","environment":"sandbox","object":"Lead","org_id":"00D5e000000TESTEA"#
    ), "{head}");
    assert!(
        head.ends_with(
            r#","records":4,"plan":"logins-to-leads.00D5e000000TESTEA4.2026-11-21T090003Z.plan","limit":9}}"#
        ),
        "{head}"
    );
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_them() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a/journal");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let _journal = Journal::start(&folder, &plan(&[1]), start(all())).unwrap();
    let holder = Holder { pid: 1, run: "r".into(), started: "2026-11-21T09:00:03Z".parse().unwrap() };
    let _lock = Lock::take(&folder, "x", OrgId::parse("00D5e000000TEST").unwrap(), &holder).unwrap();
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

#[test]
fn a_journal_that_cannot_be_made_is_told_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: works for every user, root included.
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let problem = Journal::start(&blocked.join("journal"), &plan(&[1]), start(all()));
    assert!(matches!(problem, Err(JournalProblem::Create { .. })));
    // The same run twice.
    let first = Journal::start(folder.path(), &plan(&[1]), start(all())).unwrap();
    let problem = Journal::start(folder.path(), &plan(&[1]), start(all()));
    assert!(matches!(problem, Err(JournalProblem::Create { .. })));
    assert!(Resumed::open(first.path()).is_ok(), "the first is untouched");
}

#[test]
fn leavings_of_a_start_that_was_killed_are_swept_away() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::start(folder.path(), &plan(&[1]), start(all())).unwrap();
    let (path, copy) = (journal.path().to_owned(), journal.path().with_extension("plan"));
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..20]).unwrap();
    std::fs::write(folder.path().join("other.plan"), "another's").unwrap();
    assert!(unfinished(folder.path()).unwrap().is_empty(), "nothing was sent");
    assert!(matches!(Resumed::open(&path), Err(JournalProblem::Empty { .. })));
    let mut next = start(all());
    next.run = "2026-11-21T090004Z".into();
    let journal = Journal::start(folder.path(), &plan(&[1]), next).unwrap();
    assert!(!path.exists());
    journal.close().unwrap();
    std::fs::write(&copy, "without its journal").unwrap();
    let journal = Journal::start(folder.path(), &plan(&[1]), start(all())).unwrap();
    journal.close().unwrap();
    assert!(folder.path().join("other.plan").exists());
}

#[test]
fn a_newer_journal_is_seen_and_not_carried_on() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::start(folder.path(), &plan(&[1]), start(all())).unwrap();
    let path = journal.path().to_owned();
    drop(journal);
    let text = std::fs::read_to_string(&path).unwrap().replace("journal/1", "journal/2");
    std::fs::write(&path, format!("{text}{{\"novelty\":{{}}}}\n")).unwrap();
    let before = std::fs::read(&path).unwrap();
    let found = unfinished(folder.path()).unwrap();
    assert!(found[0].newer);
    assert!(matches!(Resumed::open(&path), Err(JournalProblem::Newer { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before, "not a byte was changed");
}

#[test]
fn journals_and_plans_that_were_tampered_with_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::start(folder.path(), &plan(&[1, 1]), start(all())).unwrap();
    let (path, copy) = (journal.path().to_owned(), journal.path().with_extension("plan"));
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"int\n{}\n").unwrap();
    assert!(matches!(Resumed::open(&path), Err(JournalProblem::Corrupt { line: 2, .. })));
    std::fs::write(&path, &whole).unwrap();
    plan(&[1]).write(std::fs::File::create(&copy).unwrap()).unwrap();
    assert!(matches!(Resumed::open(&path), Err(JournalProblem::OtherPlan { .. })));
    std::fs::write(&copy, "nonsense").unwrap();
    assert!(matches!(Resumed::open(&path), Err(JournalProblem::Plan { .. })));
}

#[test]
fn one_apply_of_an_integration_to_an_org_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let org = OrgId::parse("00D5e000000TEST").unwrap();
    let other = OrgId::parse("00D5e000000ELSE").unwrap();
    let holder = |run: &str| Holder { pid: 4711, run: run.into(), started: "2026-11-21T09:00:03Z".parse().unwrap() };
    let lock = Lock::take(folder.path(), "logins", org, &holder("first")).unwrap();
    let problem = Lock::take(folder.path(), "logins", org, &holder("second")).unwrap_err();
    let LockProblem::Held { holder: Some(found), .. } = &problem else { panic!("{problem:?}") };
    assert_eq!(*found, holder("first"));
    assert!(problem.to_string().contains("run first (process 4711"), "{problem}");
    let _elsewhere = Lock::take(folder.path(), "logins", other, &holder("x")).unwrap();
    let _another = Lock::take(folder.path(), "logins-2", org, &holder("x")).unwrap();
    drop(lock);
    Lock::take(folder.path(), "logins", org, &holder("second")).unwrap();
}
