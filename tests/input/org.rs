//! The mapping against the org: objects and fields that are not there, or may not be written; conditions that the org refuses.

use super::{APPLY, Asks, PLAN, change, good, tells, with};

#[test]
fn an_absent_object_is_told_with_the_nearest_name() {
    tells("org-object-absent", &with("object: Lead", "object: Leads"), &PLAN, 3, Asks::Reads);
    tells("org-object-absent-far", &with("object: Lead", "object: Spaceship__c"), &APPLY, 3, Asks::Reads);
}

#[test]
fn an_object_that_the_user_may_not_use_is_told() {
    let scene = with("object: Lead", "object: Case");
    change(&scene, "field: Email", "field: SuppliedEmail");
    tells("org-object-hidden", &scene, &PLAN, 3, Asks::Reads);
    let scene = with("object: Lead", "object: Contact");
    change(&scene, "  WalkMe_First_Login__c: First Login\n  WalkMe_City__c: City", "  Title: City");
    tells("org-object-read-only", &scene, &PLAN, 3, Asks::Reads);
}

#[test]
fn fields_that_cannot_be_written_are_told_with_the_reason() {
    for (name, field) in [
        ("org-field-absent", "WalkMe_Citi__c"),
        ("org-field-hidden", "WalkMe_Hidden__c"),
        ("org-field-read-only", "WalkMe_Locked__c"),
        ("org-field-formula", "WalkMe_Score__c"),
        ("org-field-auto-number", "WalkMe_Number__c"),
        ("org-field-rich-text", "WalkMe_Notes__c"),
        ("org-field-compound", "Address"),
        ("org-field-encrypted", "WalkMe_Secret__c"),
    ] {
        tells(name, &with("WalkMe_City__c", field), &PLAN, 3, Asks::Reads);
    }
}

#[test]
fn everything_that_does_not_fit_is_told_in_one_go() {
    let scene = with("  WalkMe_First_Login__c: First Login\n", "  WalkMe_Firts_Login__c: First Login\n  WalkMe_Score__c: Score\n");
    change(&scene, "column: User ID", "column: UserID");
    tells("org-several-problems", &scene, &APPLY, 3, Asks::Nothing);
}

#[test]
fn a_match_field_that_cannot_be_filtered_is_told() {
    tells("org-match-not-filterable", &with("field: Email", "field: WalkMe_Story__c"), &PLAN, 3, Asks::Reads);
    tells("org-match-absent", &with("field: Email", "field: Emial"), &PLAN, 3, Asks::Reads);
    tells("org-match-boolean", &with("field: Email", "field: DoNotCall"), &PLAN, 3, Asks::Reads);
}

#[test]
fn a_condition_that_the_org_refuses_is_told_in_its_words() {
    tells("org-where-refused", &with("match:", "where: IsConvertd = false\nmatch:"), &PLAN, 3, Asks::Reads);
    tells("org-where-refused-apply", &with("match:", "where: Email > 5\nmatch:"), &APPLY, 3, Asks::Reads);
}

#[test]
fn validate_online_tells_what_fits_and_what_does_not() {
    let scene = good();
    tells("org-validate-online", &scene, &["validate", "--online"], 0, Asks::Reads);
    scene.write("integrations/second.yaml", &super::INTEGRATION.replace("logins-to-leads", "cities").replace(
        "  WalkMe_First_Login__c: First Login\n  WalkMe_City__c: City",
        "  WalkMe_Locked__c: City",
    ));
    tells("org-validate-online-wrong", &scene, &["validate", "--online"], 3, Asks::Reads);
    tells("org-validate-online-nothing", &scene, &["validate", "--online", "--env", "production"], 3, Asks::Nothing);
}

#[test]
fn an_option_that_does_not_fit_the_type_is_told() {
    let scene = with("  WalkMe_City__c: City", "  WalkMe_City__c: { column: City, decimal: \",\" }");
    tells("org-option-does-not-fit", &scene, &PLAN, 3, Asks::Reads);
}
