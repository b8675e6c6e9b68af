//! What an emulated org is started with.

use std::path::PathBuf;

use super::clock::Clock;

/// How to start an org.
#[derive(Clone, Default)]
pub struct Options {
    /// Seed files, in order: YAML for anything, CSV for records (the file's name says the object).
    pub seeds: Vec<PathBuf>,
    /// Seeds given as YAML text, read after the files.
    pub seed_texts: Vec<String>,
    /// SQLite file that keeps org, schema, records and tokens. Records of seeds are loaded only into a new one. `None`: in memory.
    pub db: Option<PathBuf>,
    /// Port on 127.0.0.1; 0 = any free port.
    pub port: u16,
    /// The org's clock.
    pub clock: Clock,
    /// Limits and habits of the org.
    pub settings: Settings,
}

impl std::fmt::Debug for Options {
    // Seeds given as text may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("seeds", &self.seeds)
            .field("db", &self.db)
            .field("port", &self.port)
            .field("clock", &self.clock)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// How many records a page of a query holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageSize {
    /// As many as asked for (2,000 by default).
    Full,
    /// Fewer than asked for, and not the same number on each page, as a real org may do.
    #[default]
    Uneven,
    /// This many, whatever was asked for; also below Salesforce's own minimum of 200, for small tests.
    Fixed(usize),
}

/// Limits and habits of the org.
#[derive(Debug, Clone)]
pub struct Settings {
    /// API requests a day (`DailyApiRequests`); never reset while the emulator runs.
    pub daily_limit: u64,
    /// Requests already used when it starts.
    pub used: u64,
    /// Page sizes of queries.
    pub page_size: PageSize,
    /// Oldest API version that is served.
    pub oldest_version: u32,
    /// Newest API version that is served.
    pub newest_version: u32,
    /// Seconds without a call after which an access token is dead; 7,200 in a new Salesforce org.
    pub session_seconds: i64,
    /// Seconds that an authorization code lives.
    pub code_seconds: i64,
    /// Seconds that a device code lives.
    pub device_seconds: i64,
    /// Seconds that a device leaves between polls.
    pub device_interval: i64,
    /// Log-ins of one user within an hour (all grants together).
    pub logins_per_hour: u64,
    /// Query cursors that are kept; a real org keeps them for two days.
    pub cursors: usize,
    /// Compress replies of clients that accept gzip.
    pub gzip: bool,
    /// Bulk API 2.0.
    pub bulk: BulkSettings,
    /// Seed of everything random (tokens, page sizes): the same seed gives the same org.
    pub random_seed: u64,
    /// Where it differs from what the documents say.
    pub habits: Habits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            daily_limit: 15_000,
            used: 0,
            page_size: PageSize::default(),
            oldest_version: 31,
            newest_version: 68,
            session_seconds: 7_200,
            code_seconds: 900,
            device_seconds: 600,
            device_interval: 5,
            logins_per_hour: 3_600,
            cursors: 16,
            gzip: true,
            bulk: BulkSettings::default(),
            random_seed: 0x00F0_07B1,
            habits: Habits::default(),
        }
    }
}

/// Where an org differs from what documents and recordings say: for tests of whoever asks an org how it behaves. By default nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Habits {
    /// Text keeps the white space at its ends.
    pub keeps_spaces: bool,
    /// Text areas keep line ends as they were sent.
    pub keeps_line_ends: bool,
    /// Numbers are rounded to the field's scale.
    pub rounds: bool,
    /// A multi-select picklist keeps the order in which its values were sent.
    pub keeps_order: bool,
    /// Comparisons heed case, and fold nothing.
    pub heeds_case: bool,
    /// `#N/A` is a text like any other in bulk CSV.
    pub plain_null_word: bool,
}

/// Allowances and habits of Bulk API 2.0.
#[derive(Debug, Clone)]
pub struct BulkSettings {
    /// Rows of a page of a query's result when the client does not say `maxRecords`, and of those that `resultPages` tells.
    pub page_rows: usize,
    /// Jobs of a page of a list.
    pub list_page: usize,
    /// Batches of 10,000 records a day (`DailyBulkApiBatches`).
    pub daily_batches: u64,
    /// Records of ingest jobs a day.
    pub daily_records: u64,
    /// Query jobs a day (`DailyBulkV2QueryJobs`).
    pub daily_query_jobs: u64,
    /// Megabytes of query results a day (`DailyBulkV2QueryFileStorageMB`).
    pub daily_result_megabytes: u64,
    /// Milliseconds that the reply which starts a job waits for its work, so that the first poll finds small jobs done.
    pub grace_millis: u64,
}

impl Default for BulkSettings {
    fn default() -> Self {
        Self {
            page_rows: 50_000,
            list_page: 1_000,
            daily_batches: 15_000,
            daily_records: 150_000_000,
            daily_query_jobs: 10_000,
            daily_result_megabytes: 976_562,
            grace_millis: 250,
        }
    }
}

/// What a client needs to log in to the emulated org, in every way that a machine can.
#[derive(Clone)]
pub struct Credentials {
    /// Consumer key of the connected app.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The admin's user name (`sub` of a JWT).
    pub username: String,
    /// A refresh token of the admin.
    pub refresh_token: String,
    /// PEM of a private key that the app trusts for JWT bearer. Everybody has it: it opens emulators, nothing else.
    pub private_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).field("username", &self.username).finish()
    }
}

/// Why an emulator could not start or take a seed.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The port is taken, or sockets are not allowed.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Bind {
        /// The port asked for.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// A seed file cannot be read.
    #[error("seed {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A seed is not what a seed should be.
    #[error("seed {name}: {message}")]
    Seed {
        /// The file, or "text N" for a seed given as text.
        name: String,
        /// What is wrong, and where.
        message: String,
    },
    /// SQLite refused.
    #[error("the emulator's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// What the database keeps about the org cannot be read back.
    #[error("the emulator's database was not written by this version: {0}")]
    State(#[from] serde_json::Error),
    /// The built-in table of standard fields is broken.
    #[error(transparent)]
    Table(#[from] super::standard::TableError),
    /// A record, object or field that is not there.
    #[error("{0}")]
    Unknown(String),
}
