//! The table of codes. A code never changes its meaning and is never used again; its page is in `pages/`, one file a family.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $code:literal, $title:literal;)*) => {
        /// A stable code, `FB` and four digits, of which the first two tell the family.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!($code, ": ", $title)] $variant,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// `FB0103`
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// What it is about, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    // YAML: syntax and shape.
    Syntax = "FB0101", "the file is not YAML";
    Tab = "FB0102", "a tab character";
    UnknownKey = "FB0103", "unknown key";
    WrongType = "FB0104", "wrong kind of value";
    DuplicateKey = "FB0105", "a key written twice";
    MissingKey = "FB0106", "a required key is missing";
    UnknownWord = "FB0107", "not one of the words allowed here";
    WrongForm = "FB0108", "a value of the wrong form";
    AmbiguousScalar = "FB0109", "a value that YAML versions read differently";
    Anchor = "FB0110", "anchors and aliases are not used";
    Tag = "FB0111", "tags are not used";
    MergeKey = "FB0112", "merge keys are not used";
    SeveralDocuments = "FB0113", "several documents in one file";
    FileTooLarge = "FB0114", "the file is too large";
    TooDeep = "FB0115", "nested too deeply";
    NotUtf8 = "FB0116", "the file is not UTF-8";
    ControlCharacter = "FB0117", "a control character";
    EmptyDocument = "FB0118", "the file holds no document";
    KeyNotText = "FB0119", "a key that is not text";
    FormatVersion = "FB0120", "the format's version";
    UnknownKind = "FB0121", "unknown kind of document";
    FileUnreadable = "FB0123", "the file cannot be read";
    Directive = "FB0124", "YAML directives are not used";

    // Meaning, across a file or files.
    NothingConfigured = "FB0201", "no configuration found";
    DuplicateIntegration = "FB0202", "two integrations of one name";
    UnknownOrg = "FB0203", "unknown org";
    UnknownEnvironment = "FB0204", "the org has no such environment";
    UnknownReport = "FB0205", "unknown report";
    DuplicateReport = "FB0206", "two catalogue reports of one name";
    DuplicateOrg = "FB0207", "two orgs of one name";
    DuplicateProject = "FB0208", "two project files";
    WritesMatchField = "FB0209", "the mapping writes the match field";
    FieldTwice = "FB0210", "a field is written twice";
    ContestedField = "FB0211", "two integrations write the same field";
    BadCondition = "FB0212", "where: is not one SOQL condition";
    BadSchedule = "FB0213", "the schedule is not understood";
    GoalRequired = "FB0214", "preset gainsight requires a goal";
    TagMissing = "FB0215", "preset gainsight requires a tag on the report";
    TagSpelling = "FB0216", "the older spelling of the tag";
    PrefixMissing = "FB0217", "a field without the WalkMe_ prefix";
    SandboxFirst = "FB0218", "production without a sandbox";
    Unused = "FB0219", "declared and never used";
    OptionsContradict = "FB0220", "options that contradict each other";
    BadApiName = "FB0221", "not an API name";
    BadFormat = "FB0222", "the date format is not understood";
    UnknownTimeZone = "FB0223", "unknown time zone";
    SharedWithoutWhere = "FB0224", "shared: true without where:";
    LimitOutOfRange = "FB0225", "a limit that cannot be";
    SystemField = "FB0226", "a field that Salesforce sets itself";
    BadRecipient = "FB0240", "not an age recipient";
    RecipientsMissing = "FB0241", "committed values without a recipient";
    KnownFailureTwice = "FB0242", "a known failure written twice";
    KnownFailureUnused = "FB0243", "a known failure that no integration can meet";
    BadWindow = "FB0247", "a window of not_during: that cannot be";

    // What a configuration may reach.
    VariableNotAllowed = "FB0301", "a variable where none is read";
    VariableNotSet = "FB0302", "a variable that is not set";
    SecretWrittenOut = "FB0303", "a secret written into the file";
    ForeignDomain = "FB0304", "a domain that is not Salesforce's";
    BadDomain = "FB0305", "not a domain";
    BadOrgId = "FB0306", "not an org id";
    PathLeavesRepository = "FB0307", "a path that leaves the repository";
    BadUrl = "FB0308", "a URL that may not be read";
    BadVariable = "FB0309", "a variable that is not understood";
    HeadersWithoutHttps = "FB0310", "headers without an https URL";
    LightningDomain = "FB0311", "a Lightning address instead of the My Domain";
    EnvironmentsMixedUp = "FB0312", "sandbox and production look mixed up";
    OrgIdMissing = "FB0313", "no org id is pinned";
    HeaderNotAllowed = "FB0314", "a header that may not be set";

    NeedsTrustedRun = "FB0320", "a pull request that reaches further than its base";

    // The report's source.
    ReportMissing = "FB0401", "the source file is missing";
    ReportEmpty = "FB0402", "the report is empty";
    ReportHeaderOnly = "FB0403", "the report has a header and no rows";
    ReportTruncated = "FB0404", "the report is cut off";
    ReportRagged = "FB0405", "a row with too few or too many cells";
    ReportEncoding = "FB0406", "the report's encoding";
    ReportDuplicateColumns = "FB0407", "two columns of one name";
    ColumnAbsent = "FB0408", "a mapped column is not in the report";
    KeyColumnAbsent = "FB0409", "the key column is not in the report";
    ReportLineTooLong = "FB0410", "a line of the report is too long";
    ReportTracked = "FB0411", "the source file is tracked by git";
    ReportLinkLeavesRepository = "FB0412", "a link that leads out of the repository";
    ReportUnreadable = "FB0413", "the source cannot be read";
    ReportDownload = "FB0414", "the report could not be downloaded";
    ReportChecksum = "FB0415", "the report's checksum differs";
    ReportDelimiter = "FB0416", "the delimiter was not found out";
    ReportNotCsv = "FB0417", "the source is not a CSV file";
    DeclaredColumnAbsent = "FB0418", "a declared column is not in the report";
    ReportTooLarge = "FB0419", "the report is over a limit";
    StoresNotBuiltIn = "FB0420", "this build reads no object stores";
    ReportStore = "FB0421", "the object store gave no report";
    SecretForAnotherHost = "FB0422", "a secret and the host that it is for";

    // Log-in and org.
    TokenRefused = "FB0501", "the access token is expired or revoked";
    LoginRefused = "FB0502", "Salesforce refused the log-in";
    WrongOrg = "FB0503", "this is not the pinned org";
    HtmlInsteadOfJson = "FB0504", "a web page instead of an answer";
    DailyLimit = "FB0505", "the org's daily API limit is used up";
    ApiDisabled = "FB0506", "the user may not use the API";
    HostUnreachable = "FB0507", "the org cannot be reached";
    ServiceUnavailable = "FB0508", "Salesforce is unavailable";
    AnswerTooLarge = "FB0509", "an answer over the size limit";
    KeyUnreadable = "FB0510", "the private key cannot be used";
    ApiVersionUnsupported = "FB0511", "the org does not know this API version";
    TlsFailed = "FB0512", "no secure connection";
    HostNotAllowed = "FB0513", "an address that may not be called";
    AppNotApproved = "FB0514", "the user has not approved the app";
    AnswerUnreadable = "FB0515", "an answer that cannot be read";
    TimedOut = "FB0516", "no answer in time";
    EnvironmentKind = "FB0517", "sandbox and production are mixed up";
    Forbidden = "FB0518", "Salesforce forbids this call";
    BulkJobEnded = "FB0519", "a bulk job ended without its work done";
    BulkJobTooLong = "FB0520", "a bulk job takes too long";
    NotConnected = "FB0521", "the org is not connected";
    StoreUnusable = "FB0522", "the store of tokens cannot be used";
    RefreshUnknown = "FB0523", "a refresh token that may be spent";
    BrowserLogIn = "FB0524", "the log-in in the browser did not come through";
    DeviceLogIn = "FB0525", "the log-in by a device code did not come through";
    SalesforceCli = "FB0526", "Salesforce's command line gave no log-in";
    NotRevoked = "FB0527", "Salesforce did not confirm the revocation";
    ProbeDiffers = "FB0561", "the org does otherwise than taken for granted";
    ProbeNotRestored = "FB0562", "a probed record is not as it was";
    ProbeRefused = "FB0563", "the probe does not write here";
    ProbeMissing = "FB0564", "no probe of this version has passed";

    // The mapping against the org.
    ObjectAbsent = "FB0601", "the object is not there or not visible";
    FieldAbsent = "FB0602", "the field is not there or not visible";
    MatchNotFilterable = "FB0603", "the match field cannot be filtered on";
    FieldNotUpdateable = "FB0604", "this user may not edit the field";
    FieldRichText = "FB0605", "a rich text field";
    FieldFormula = "FB0606", "a formula field";
    FieldAutoNumber = "FB0607", "an auto-number field";
    FieldCompound = "FB0608", "a compound field";
    FieldEncrypted = "FB0609", "a masked, encrypted field";
    FieldTypeUnsupported = "FB0610", "a field of a type that is not written";
    ObjectNotUpdateable = "FB0611", "this user may not edit the object";
    ObjectNotReadable = "FB0612", "this user may not read the object";
    RightMissing = "FB0613", "a right is missing";
    RightsNotChecked = "FB0614", "edit rights are not checked";
    OptionDoesNotFit = "FB0615", "an option that does not fit the field's type";
    ConditionRefused = "FB0616", "the org refused where:";
    CurrencyRequired = "FB0617", "a currency must be named";
    TimeZoneRequired = "FB0618", "a time zone must be named";
    MatchTypeUnsupported = "FB0619", "a match field of a type that cannot be compared";
    FieldReadOnlyParent = "FB0620", "the field belongs to another record";

    // Guards.
    GuardOverwrites = "FB0701", "guard max_overwrites";
    GuardFills = "FB0702", "guard max_fills";
    GuardClears = "FB0703", "guard max_clears";
    GuardRefused = "FB0704", "guard max_refused";
    GuardMatch = "FB0705", "guard min_match";
    GuardRows = "FB0706", "guard min_rows";
    GuardShrink = "FB0707", "guard max_shrink";
    GuardAge = "FB0708", "guard max_age";
    GuardFirstRun = "FB0709", "the first run needs a person";
    DuplicateRowsFail = "FB0710", "two rows with one key";
    SeveralRecordsFail = "FB0711", "several records with one key";
    BadValueFails = "FB0712", "a value that cannot be written";
    BlankFails = "FB0713", "a blank where none may be";
    GuardCalls = "FB0714", "guard max_calls";
    GuardColumns = "FB0721", "guard column_vanished";
    GuardBlanks = "FB0722", "guard blanks_rose";
    GuardMatchFell = "FB0723", "guard match_fell";

    // Plan and apply.
    StaleConfiguration = "FB0801", "the configuration has changed since the plan";
    StaleReport = "FB0802", "the report has changed since the plan";
    StaleOrg = "FB0803", "the plan is for another org";
    StaleFields = "FB0804", "a mapped field's definition has changed since the plan";
    PlanDamaged = "FB0805", "the plan file is damaged";
    PlanVersion = "FB0806", "the plan file has another format version";
    Locked = "FB0807", "another apply is under way";
    JournalUnwritable = "FB0808", "the journal cannot be written";
    RecordsDrifted = "FB0809", "records changed between plan and apply";
    RecordsFailed = "FB0810", "records that Salesforce refused";
    OutcomesUnknown = "FB0811", "outcomes that are not known";
    RunLogUnwritable = "FB0812", "the run log cannot be written";
    NothingToResume = "FB0813", "nothing to resume";
    Interrupted = "FB0814", "the run was interrupted";
    NotAttempted = "FB0815", "records that were not attempted";
    UnfinishedJobs = "FB0816", "unfinished bulk jobs of this user";
    PlanNotApplicable = "FB0817", "the plan may not be applied";
    NoPlaceForValues = "FB0830", "no place to keep the values before";
    ValuesUnwritable = "FB0831", "the values cannot be kept";
    ValuesMissing = "FB0832", "the run has no values";
    ValuesDamaged = "FB0833", "the values cannot be read";
    ValuesLocked = "FB0834", "the values do not open with this key";
    CanaryDiffers = "FB0835", "the canary came back otherwise";
    VerifyDiffers = "FB0836", "records are not as they were written";
    RemoteLocked = "FB0840", "another machine applies this integration";
    GitFailed = "FB0841", "git could not do what was asked of it";
    RunLogNotPushed = "FB0842", "the run log is not on the remote";
    IntentNotPushed = "FB0843", "the intent of the run is not on the remote";
    RunDied = "FB0844", "a run whose machine died";
    NotApproved = "FB0860", "the plan is not the one that was approved";
    NoticeNotSent = "FB0870", "a notice was not delivered";
    IssueNotOpened = "FB0871", "the issue of a held run was not opened";
    ReportAwaited = "FB0872", "a scheduled run waits for a newer report";

    // Usage, and bugs.
    NothingNamed = "FB0901", "nothing was named";
    UnknownIntegration = "FB0902", "no integration of this name";
    UnknownRun = "FB0903", "no run of this name";
    UnknownCode = "FB0904", "no such code";
    NotConfirmed = "FB0905", "a confirmation is needed";
    FileUnwritable = "FB0906", "a file cannot be written";
    NoRepository = "FB0907", "this is no repository of Footbridge's";
    GitUnavailable = "FB0908", "git is needed";
    UnknownGuard = "FB0909", "no guard of this name";
    SchemasStale = "FB0910", "the schemas in the repository are stale";
    BadUsage = "FB0911", "the command line is not understood";
    LinkLeavesRepository = "FB0921", "a folder that is a link out of the repository";
    DriftUnknown = "FB0931", "drift that cannot be told";
    NothingToCompare = "FB0932", "nothing to compare with";
    PruneKeep = "FB0933", "say how much of the history is kept";
    GitHistory = "FB0940", "git has not the commits that are needed";
    NoPullRequest = "FB0941", "no pull request to comment on";
    CommentRefused = "FB0942", "the comment could not be written";
    FileExists = "FB0943", "a file is there already";
    ReadingsDisagree = "FB0950", "two YAML readings disagree";
    DecodingFailed = "FB0951", "a bug: a checked document did not decode";
    LedgerUnbalanced = "FB0952", "a bug: a ledger does not add up";
    Bug = "FB0953", "a bug in Footbridge";
}

/// What a code's first two digits tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// `FB01`
    pub prefix: &'static str,
    /// What it is about.
    pub title: &'static str,
    pages: &'static str,
}

static FAMILIES: [Family; 9] = [
    Family { prefix: "FB01", title: "YAML: syntax and shape", pages: include_str!("pages/fb01-yaml.md") },
    Family { prefix: "FB02", title: "What the configuration means", pages: include_str!("pages/fb02-meaning.md") },
    Family { prefix: "FB03", title: "What a configuration may reach", pages: include_str!("pages/fb03-reach.md") },
    Family { prefix: "FB04", title: "The report's source", pages: include_str!("pages/fb04-report.md") },
    Family { prefix: "FB05", title: "Log-in and org", pages: include_str!("pages/fb05-org.md") },
    Family { prefix: "FB06", title: "The mapping against the org", pages: include_str!("pages/fb06-mapping.md") },
    Family { prefix: "FB07", title: "Guards", pages: include_str!("pages/fb07-guards.md") },
    Family { prefix: "FB08", title: "Plan and apply", pages: include_str!("pages/fb08-apply.md") },
    Family { prefix: "FB09", title: "Usage, and bugs", pages: include_str!("pages/fb09-usage.md") },
];

impl Code {
    /// Reads `FB0103`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str().eq_ignore_ascii_case(text.trim()))
    }

    /// The family by its first two digits.
    pub fn family(self) -> &'static Family {
        FAMILIES.iter().find(|f| self.as_str().starts_with(f.prefix)).unwrap_or(&FAMILIES[8])
    }

    /// The page for `footbridge explain`: a few paragraphs of Markdown, without a heading.
    pub fn page(self) -> &'static str {
        let Some((_, rest)) = self.family().pages.split_once(&format!("## {}\n", self.as_str())) else { return "" };
        rest.split_once("\n## ").map_or(rest, |(page, _)| page).trim()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_well_formed() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].as_str() < pair[1].as_str(), "{} then {}", pair[0], pair[1]);
        }
        for code in Code::ALL {
            let digits = code.as_str().strip_prefix("FB").unwrap();
            assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{code}");
            assert_eq!(Code::parse(&code.as_str().to_lowercase()), Some(*code));
            assert!(code.as_str().starts_with(code.family().prefix));
        }
        assert_eq!(Code::parse("FB9999"), None);
    }

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        for code in Code::ALL {
            assert!(code.page().len() > 60, "{code} needs a page");
            assert!(!code.page().contains("\n## "), "{code}");
        }
        for family in &FAMILIES {
            for heading in family.pages.lines().filter_map(|l| l.strip_prefix("## ")) {
                let code = Code::parse(heading).unwrap_or_else(|| panic!("page without a code: {heading}"));
                assert_eq!(code.family(), family);
            }
        }
    }
}
