//! The assumptions, one line each: what is taken for granted, where Footbridge rests on it, how it is checked.

/// How an assumption is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By reading.
    Reads,
    /// By writing fields of one record, and putting them back.
    Writes,
    /// Not by this command; why.
    Never(&'static str),
}

/// Something that Footbridge takes for granted of every org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumption {
    /// A short stable word.
    pub id: &'static str,
    /// What is assumed.
    pub what: &'static str,
    /// Where Footbridge rests on it.
    pub rests: &'static str,
    /// How it is checked.
    pub how: &'static str,
    /// By reading, writing, or not here.
    pub way: Way,
}

/// Every assumption, in the order of the report.
pub fn all() -> &'static [Assumption] {
    ALL
}

/// One by its id.
pub fn assumption(id: &str) -> Option<&'static Assumption> {
    ALL.iter().find(|a| a.id == id)
}

macro_rules! assumptions {
    ($($id:ident $way:expr, $what:literal, $rests:literal, $how:literal;)*) => {
        static ALL: &[Assumption] =
            &[$(Assumption { id: stringify!($id), what: $what, rests: $rests, how: $how, way: $way },)*];
    };
}

const READS: Way = Way::Reads;
const WRITES: Way = Way::Writes;
const LOGIN: Way = Way::Never("it would take log-ins of other users, or end this one");
const DAMAGE: Way = Way::Never("it would use up the org's allowances, or take broken files");
const OTHERS: Way = Way::Never("it would take records or users that the probe does not know");

assumptions! {
    // What every call rests on.
    version_served READS, "the org serves the API version of the configuration", "every call", "the list of versions";
    limit_info READS, "every answer tells the calls used, `Sforce-Limit-Info: api-usage=USED/MAX`", "the quota in plans and run logs, guard max_calls", "the headers of the answers of this probe";
    limits_keys READS, "/limits tells DailyApiRequests, and the allowances of bulk jobs, as Max and Remaining", "how a plan is read and written", "GET limits";
    describe_object READS, "describe of an object has the keys that are read", "checking a mapping", "describe of the object";
    describe_fields READS, "every field in describe has the keys that are read", "checking a mapping; rules of every type", "describe of the object";
    describe_types READS, "every field is of a type that this version knows", "rules of every type", "describe of the object";
    ids READS, "ids come with 18 characters, the last three being their check", "joining results, plans and run logs", "ids of one page";
    // Queries.
    page_size READS, "a page of a query holds no more records than asked for by `batchSize`", "how calls are estimated", "a query of 450 records in pages of 200";
    page_total READS, "the first page tells the number of all records, and the last one names no next page", "a query that lost records is an error", "the same query";
    long_query READS, "a GET of nearly 16,384 bytes is answered", "look-ups are filled up to that", "a look-up of keys that nobody has";
    query_error_field READS, "a field that is not there: 400 INVALID_FIELD", "the words of errors", "a query of such a field";
    query_error_syntax READS, "a broken query: 400 MALFORMED_QUERY", "the words of errors; checking where:", "such a query";
    query_error_object READS, "an object that is not there: 400 INVALID_TYPE in a query, 404 NOT_FOUND in describe", "the words of errors", "such a query, and such a describe";
    locator_error READS, "a place in a query that is not there: 400 INVALID_QUERY_LOCATOR", "a query whose place is lost begins anew", "such a place";
    in_case READS, "IN compares text without regard to case", "the match: a key in other letters finds its record", "a look-up of a record's key in other letters; with a record of yours, of a text that is written";
    in_sharp_s WRITES, "IN takes ß for ss", "the match: STRASSE finds Straße", "a look-up of the record by a text that was written";
    in_nbsp WRITES, "IN takes a no-break space for a character of its own", "a key with one around it is found by paging, not by a look-up", "the same";
    datetime_where READS, "a condition takes moments with Z and with an offset", "keys that are moments; where:", "a record by the moment that it was made";
    // Values as they are read.
    datetime_json READS, "JSON gives moments as …T04:05:06.000+0000", "comparing values", "one record";
    boolean_json READS, "JSON gives checkboxes as true and false, never null", "comparing values", "one record";
    number_json READS, "JSON gives numbers as decimals that can be read exactly", "comparing values", "one record";
    retrieve_fields READS, "reading records by id gives the fields asked for, and no other", "the look before each write", "POST composite/sobjects of one record";
    retrieve_missing READS, "reading an id that is not there gives null in its place", "a record that is gone is left alone", "POST composite/sobjects with such an id";
    // Bulk queries.
    bulk_query READS, "a query job becomes JobComplete and counts its rows", "large plans", "a query job of one record";
    bulk_header READS, "its result begins with the fields of the SELECT", "large plans", "the result of the same job";
    bulk_locator READS, "its last page says `Sforce-Locator: null`, and `Sforce-NumberOfRecords` counts the page's rows", "large plans: no row is lost", "the headers of the same result";
    bulk_boolean READS, "bulk CSV gives checkboxes as true and false", "comparing values", "the same result";
    bulk_datetime READS, "bulk CSV gives moments as …T04:05:06.000Z", "comparing values", "the same result";
    bulk_same READS, "a record read by bulk query comes to the same values as read by JSON", "a plan is the same bytes whatever the way of reading", "the same record, both ways";
    bulk_query_error READS, "a query job with a field that is not there is refused, or fails with InvalidBatch", "the words of errors", "such a job";
    // Writing by collections.
    update_unknown_field WRITES, "an unknown field in a record refuses the whole call with INVALID_FIELD", "nothing is written by halves", "an update with such a field";
    update_missing WRITES, "an update of an id that is not there fails alone, with INVALID_CROSS_REFERENCE_KEY, NOT_FOUND or ENTITY_IS_DELETED", "the end of each record", "such an update";
    text_trim WRITES, "white space at the ends of text is cut off on saving", "comparing values: a second plan is empty", "text with spaces and a tab at its ends";
    text_nbsp WRITES, "a no-break space at the ends of text stays", "comparing values", "text with one at each end";
    text_blank WRITES, "text of nothing but spaces is saved as null", "comparing values: blank is null", "three spaces";
    text_too_long WRITES, "text that is too long is refused with STRING_TOO_LONG, never cut", "the length that is checked before", "one character too many";
    text_units WRITES, "the length of text counts UTF-16 units: a character beyond U+FFFF is two", "the length that is checked before", "as many characters as the field takes, the last of them an emoji";
    area_lines WRITES, "line ends in a text area come back as CR LF, whichever was sent", "comparing values", "LF and CR LF in one text";
    area_length WRITES, "a line end in a text area counts two towards its length, whichever was sent", "the length that is checked before", "as many characters as the field takes, one of them LF";
    number_exact WRITES, "a number rounded to the field's scale comes back as it was sent", "comparing values: a second plan is empty", "a number with as many decimals as the field has";
    number_scale WRITES, "digits beyond a field's scale are kept, not rounded", "Footbridge rounds itself, half up; a value with more digits counts as another", "a number with one more digit than the field has";
    number_range WRITES, "too many digits before the point: NUMBER_OUTSIDE_VALID_RANGE", "the range that is checked before", "such a number";
    multi_order WRITES, "a multi-select picklist comes back in the picklist's own order", "nothing but the words: values are compared as a set", "two values the other way round";
    multi_set WRITES, "a multi-select picklist holds the values that were sent, each once", "comparing values: a set", "the same, one of them twice";
    picklist_value WRITES, "a picklist comes back as the API name that was sent", "comparing values", "an active value";
    date_exact WRITES, "a date comes back as it was sent", "comparing values", "a date of a leap year";
    datetime_zone WRITES, "a moment with an offset is kept as the moment that it is", "comparing values", "a moment at +01:00";
    datetime_fraction WRITES, "a fraction of a second is cut off, not rounded", "comparing values: a second plan is empty", "a moment with .999";
    checkbox_exact WRITES, "a checkbox comes back as it was sent", "comparing values", "the other value";
    null_clears WRITES, "null clears a field", "when_blank: clear", "null in every field, checkboxes apart";
    // Writing by bulk jobs.
    bulk_job WRITES, "an update job becomes JobComplete, counts its rows and lists each in its results", "large applies", "a job of one row";
    bulk_text WRITES, "text of a job is cut at its ends as by collections", "both ways of writing come to the same", "a row of the same job";
    bulk_lines WRITES, "LF in a quoted cell comes back as CR LF", "both ways of writing come to the same", "the same row";
    bulk_number WRITES, "a number comes back as it was sent", "both ways of writing come to the same", "the same row";
    bulk_multi WRITES, "a multi-select picklist holds the values that were sent", "both ways of writing come to the same", "the same row";
    bulk_moments WRITES, "dates and moments come back as they were sent", "both ways of writing come to the same", "the same row";
    bulk_checkbox WRITES, "true and false set a checkbox", "both ways of writing come to the same", "the same row";
    bulk_empty_keeps WRITES, "an empty cell leaves a field alone", "fields that a row does not change", "a second job";
    bulk_null_word WRITES, "#N/A clears a field", "when_blank: clear", "a second job";
    // What this command does not try.
    token_rotation LOGIN, "a refresh token that comes back after its turn ends the whole grant", "a token that may be spent is never sent again", "a spent token";
    code_once LOGIN, "an authorization code works once, and coming again it ends the tokens that came of it", "logging in", "a code, twice";
    jwt_words LOGIN, "the errors of a JWT log-in: its age, its user, its approval", "the words of errors", "assertions that are late, or of others";
    device_words LOGIN, "the errors of a device log-in: waiting, too fast, refused, too late", "logging in by a device", "polls of all kinds";
    login_rate LOGIN, "more than 3,600 log-ins an hour are refused", "tokens are kept", "that many log-ins";
    daily_limit DAMAGE, "the day's calls used up: 403 REQUEST_LIMIT_EXCEEDED", "the run stops", "that many calls";
    bulk_broken DAMAGE, "a job whose file is broken fails before it writes a row", "a broken upload changes nothing", "broken files";
    bulk_quota DAMAGE, "the day's bulk jobs used up: EXCEEDEDQUOTA", "another way is taken", "that many jobs";
    lock_parents DAMAGE, "records of one parent that are written at once: UNABLE_TO_LOCK_ROW", "they are written together, and again", "two jobs at once";
    sharing_hidden OTHERS, "a record that sharing hides fails as one that is not there", "the words of errors", "a record of others";
    converted_lead OTHERS, "a converted lead: CANNOT_UPDATE_CONVERTED_LEAD", "converted leads are passed over", "a converted lead";
    email_syntax OTHERS, "the syntax of e-mail addresses", "addresses that are refused before they are sent", "addresses of all kinds";
    no_view_setup OTHERS, "without View Setup /limits is refused with INSUFFICIENT_ACCESS", "a plan without the org's limits", "such a user";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_assumption_has_its_own_id_and_all_its_words() {
        let ids: BTreeSet<&str> = ALL.iter().map(|a| a.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for a in ALL {
            assert!(!a.what.is_empty() && !a.rests.is_empty() && !a.how.is_empty(), "{}", a.id);
            assert_eq!(assumption(a.id), Some(a));
        }
        assert!(ALL.iter().filter(|a| a.way == Way::Reads).count() >= 25);
        assert!(ALL.iter().filter(|a| a.way == Way::Writes).count() >= 25);
        assert!(assumption("nothing").is_none());
    }

    /// The cells of the rows below this line of the page.
    fn rows(below: &str) -> Vec<Vec<&'static str>> {
        let page = include_str!("../../docs/EMULATOR.md");
        let table = page.lines().skip_while(|line| *line != below).skip(2).take_while(|line| line.starts_with("| "));
        table.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
    }

    #[test]
    fn the_emulators_page_lists_every_one_in_its_order_and_words() {
        let listed = rows("| id | assumed | checked by |");
        let own = ALL.iter().map(|a| {
            let way = match a.way {
                Way::Reads => "reading",
                Way::Writes => "writing",
                Way::Never(_) => "not tried",
            };
            [format!("`{}`", a.id), a.what.to_owned(), format!("{way}: {}", a.how)]
        });
        let own: Vec<[String; 3]> = own.collect();
        for (row, own) in listed.iter().zip(&own) {
            assert_eq!(row, own);
        }
        assert_eq!(listed.len(), own.len());
    }

    #[test]
    fn whatever_no_recording_confirms_is_checked_or_says_why_not() {
        let listed = rows("| assumption | probe | checked as |");
        assert!(listed.len() > 90, "{}", listed.len());
        for row in listed {
            let [_, _, checked] = row.as_slice() else { panic!("three cells: {row:?}") };
            if let Some(why) = checked.strip_prefix("not checked: ") {
                assert!(why.len() > 10, "{row:?}");
                continue;
            }
            for id in checked.split(", ") {
                let id = id.strip_prefix('`').and_then(|id| id.strip_suffix('`'));
                assert!(id.is_some_and(|id| assumption(id).is_some()), "no such assumption: {row:?}");
            }
        }
    }
}
