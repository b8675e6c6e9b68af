use super::{Effect, Item, Kind, Planned, Review, markdown};
use crate::model::Digest;
use crate::plan::{Causes, Share};
use crate::render::plan::{MARKDOWN_LIMIT, PlanView};

/// A review of so many integrations that were planned, each with changes, guards and rows that cannot be used.
fn review(many: usize) -> Review {
    let view: PlanView = serde_json::from_str(include_str!("../testdata/plan-json.txt")).unwrap();
    let item = |n: usize| {
        let mut view = view.clone();
        view.digests.inputs = Digest::of(format!("inputs {n}").as_bytes());
        view.digests.changes = Digest::of(format!("changes {n}").as_bytes());
        let causes = Causes { records: Share { branch: 6, anyway: 1 }, ..Causes::default() };
        let planned =
            Planned { view, causes, not_known: Vec::new(), no_baseline: None, hidden: Vec::new(), text: String::new() };
        Item {
            name: format!("integration-of-a-report-{n:03}"),
            change: Kind::Changed,
            said: (0..12).map(|line| format!("field `F{line}__c` is new")).collect(),
            yaml: "+ fields:\n".repeat(40),
            effect: Effect::Planned(Box::new(planned)),
        }
    };
    Review {
        format: "footbridge review/1",
        environment: "production".into(),
        base: "b".repeat(40),
        head: "a".repeat(40),
        items: (0..many).map(item).collect(),
        unchanged: 3,
        problems: Vec::new(),
        notes: Vec::new(),
    }
}

/// How many of a review's digests its comment holds: of changes with at least so many digits, in the command that applies them.
fn held(review: &Review, page: &str, digits: usize) -> usize {
    let there = |item: &&Item| {
        let Effect::Planned(planned) = &item.effect else { return false };
        let digests = &planned.view.digests;
        let changes = digests.changes.as_str().strip_prefix("sha256:").unwrap();
        let begins = format!("footbridge apply {} --env production --expect {}/", item.name, digests.inputs.short());
        let command = page.split(&begins).nth(1).map(|rest| rest.trim_start_matches("sha256:"));
        command.is_some_and(|rest| rest.starts_with(&changes[..digits]))
    };
    review.items.iter().filter(there).count()
}

#[test]
fn whatever_there_is_no_room_for_every_digest_is_there() {
    for (many, digits) in [(1, 64), (2, 64), (40, 64), (120, 32), (300, 32), (350, 32)] {
        let review = review(many);
        let page = markdown(&review);
        assert!(page.len() < MARKDOWN_LIMIT, "{many}: {}", page.len());
        assert_eq!(held(&review, &page, digits), many);
        assert!(page.contains(&format!("**{many} integration")), "the verdict");
        assert!(!page.contains("digests ("), "{many}");
        if many >= 300 {
            assert!(page.contains("Left out for want of room") && page.contains("integrations ("), "{many}");
        }
    }
}

#[test]
fn with_too_many_integrations_it_is_said_that_digests_are_left_out_and_where_they_are() {
    let review = review(900);
    let page = markdown(&review);
    let held = held(&review, &page, 32);
    assert!(page.len() < MARKDOWN_LIMIT && held > 300, "{held} in {}", page.len());
    assert!(page.contains("**900 integrations changed.**"));
    assert!(page.contains(&format!("digests ({})", 900 - held)));
    assert!(page.contains("each plan file that `--out` writes holds its digests"));
}
