//! Object stores by the crate `object_store`, whose every call goes through `net`: to hosts of that store alone, with its time-outs, limits and repeats.

use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream as _, StreamExt as _};
use http_body::{Body, Frame};
use jiff::Timestamp;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::path::Path;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectStore, RetryConfig, StaticCredentialProvider};
use url::Url;

use super::fetch::{Answer, FetchError, Fetched, Origin, Resume, fill};
use super::store::{ObjectReport, StoreError, StoreKind};
use super::web::classify;
use crate::net::{self, Budget, Class, HostRule, Http, Manner, NetError, Pieces, Request, Settings, is_loopback};

pub(super) async fn fetch(wanted: &ObjectReport<'_>, file: File) -> Result<Fetched, FetchError> {
    let store = store(wanted)?;
    let (key, of) = match wanted.newest {
        false => (path(&wanted.key)?, None),
        true => {
            let (key, of) = newest(&*store, &wanted.key).await?;
            (key, Some(of))
        }
    };
    let mut fetched =
        fill(&Object { store, key: key.clone(), limit: wanted.limit }, file, wanted.limit, &wanted.budget).await?;
    fetched.picked = of.map(|of| (key.to_string(), of));
    Ok(fetched)
}

fn path(key: &str) -> Result<Path, FetchError> {
    Path::parse(key).map_err(|_| StoreError::Absent { code: None }.into())
}

/// The object changed last of those that fit the pattern, and how many do.
async fn newest(store: &dyn ObjectStore, pattern: &str) -> Result<(Path, usize), FetchError> {
    let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let folder = if folder.is_empty() { None } else { Some(path(folder)?) };
    let listed = store.list_with_delimiter(folder.as_ref()).await.map_err(told)?;
    let seen = listed.objects.len();
    let fitting: Vec<_> =
        listed.objects.into_iter().filter(|o| o.location.filename().is_some_and(|name| fits(last, name))).collect();
    let of = fitting.len();
    let found = fitting.into_iter().max_by(|a, b| (a.last_modified, &a.location).cmp(&(b.last_modified, &b.location)));
    found
        .map(|found| (found.location, of))
        .ok_or_else(|| StoreError::NoneFits { pattern: pattern.to_owned(), seen }.into())
}

/// Does a name fit a pattern, in which `*` stands for any text?
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(end) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(end)
}

struct Object {
    store: Arc<dyn ObjectStore>,
    key: Path,
    limit: u64,
}

impl Origin for Object {
    async fn begin(&self, resume: Resume<'_>) -> Result<Answer, FetchError> {
        let options = |resume: Resume<'_>| GetOptions {
            range: resume.map(|(from, _)| GetRange::Offset(from)),
            if_match: resume.map(|(_, tag)| tag.to_owned()),
            ..GetOptions::default()
        };
        let found = match self.store.get_opts(&self.key, options(resume)).await {
            // Another content meanwhile: all of it, then.
            Err(object_store::Error::Precondition { .. }) if resume.is_some() => {
                self.store.get_opts(&self.key, options(None)).await
            }
            found => found,
        };
        let found = found.map_err(told)?;
        if found.meta.size > self.limit {
            return Err(FetchError::TooLarge { limit: self.limit });
        }
        let changed = found.meta.last_modified;
        let modified =
            Timestamp::new(changed.timestamp(), i32::try_from(changed.timestamp_subsec_nanos()).unwrap_or(0));
        Ok(Answer {
            at: found.range.start,
            modified: modified.ok(),
            tag: found.meta.e_tag.clone().filter(|tag| tag.starts_with('"')),
            sent_on_to: None,
            pieces: found.into_stream().map(|piece| piece.map_err(told)).boxed(),
        })
    }
}

/// The store, with credentials of the environment and of nowhere else.
fn store(wanted: &ObjectReport<'_>) -> Result<Arc<dyn ObjectStore>, FetchError> {
    let kind = wanted.kind;
    let variable =
        |names: &[&str]| names.iter().find_map(|name| (wanted.variable)(name).filter(|text| !text.is_empty()));
    let none = || FetchError::from(StoreError::NoCredentials { kind });
    let unusable = |why| FetchError::from(StoreError::BadCredentials { kind, why });
    let endpoint = wanted.endpoint.as_deref().and_then(|text| Url::parse(text).ok());
    let client = Through {
        http: Http::new(Settings { hosts: hosts(kind, endpoint), ..wanted.settings.clone() }),
        budget: wanted.budget.clone(),
        limit: wanted.limit,
    };
    // Repeats are `net`'s.
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    Ok(match kind {
        StoreKind::S3 => {
            let id = variable(&["AWS_ACCESS_KEY_ID"]).ok_or_else(none)?;
            let secret = variable(&["AWS_SECRET_ACCESS_KEY"]).ok_or_else(none)?;
            let region = wanted.region.clone().or_else(|| variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(&wanted.bucket)
                .with_access_key_id(id)
                .with_secret_access_key(secret)
                .with_region(region.unwrap_or_else(|| "us-east-1".to_owned()))
                .with_retry(retry)
                .with_http_connector(client);
            if let Some(token) = variable(&["AWS_SESSION_TOKEN"]) {
                builder = builder.with_token(token);
            }
            if let Some(endpoint) = &wanted.endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            Arc::new(builder.build().map_err(|_| unusable("the bucket's name or the region is not understood"))?)
        }
        StoreKind::Azure => {
            let account = variable(&["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"]).ok_or_else(none)?;
            if !account.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
                return Err(unusable("AZURE_STORAGE_ACCOUNT_NAME has small letters and digits only"));
            }
            let mut builder = MicrosoftAzureBuilder::new()
                .with_account(&account)
                .with_container_name(&wanted.bucket)
                .with_retry(retry)
                .with_http_connector(client);
            builder = if let Some(key) = variable(&["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY"]) {
                builder.with_access_key(key)
            } else if let Some(sas) = variable(&["AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY"]) {
                let pairs = url::form_urlencoded::parse(sas.trim_start_matches('?').as_bytes());
                builder.with_sas_authorization(pairs.into_owned().collect::<Vec<(String, String)>>())
            } else {
                let of = |name: &str| variable(&[name]).ok_or_else(none);
                let (client, secret, tenant) =
                    (of("AZURE_CLIENT_ID")?, of("AZURE_CLIENT_SECRET")?, of("AZURE_TENANT_ID")?);
                builder.with_client_secret_authorization(client, secret, tenant)
            };
            if let Some(endpoint) = &wanted.endpoint {
                builder = builder.with_endpoint(format!("{endpoint}/{account}"));
            }
            Arc::new(builder.build().map_err(|_| unusable("the key or the container's name is not understood"))?)
        }
        StoreKind::Gcs => {
            let mut builder = GoogleCloudStorageBuilder::new()
                .with_bucket_name(&wanted.bucket)
                .with_retry(retry)
                .with_http_connector(client);
            builder = if let Some(token) = variable(&["GOOGLE_OAUTH_ACCESS_TOKEN"]) {
                builder.with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential { bearer: token })))
            } else if let Some(text) = variable(&["GOOGLE_SERVICE_ACCOUNT_KEY"]) {
                builder.with_service_account_key(text)
            } else {
                builder.with_application_credentials(variable(&["GOOGLE_APPLICATION_CREDENTIALS"]).ok_or_else(none)?)
            };
            if let Some(endpoint) = &wanted.endpoint {
                builder = builder.with_base_url(endpoint);
            }
            let why = "the file (or text) is no key of a service account or a user; other kinds are not read: set GOOGLE_OAUTH_ACCESS_TOKEN";
            Arc::new(builder.build().map_err(|_| unusable(why))?)
        }
    })
}

/// Hosts of this kind of store and of its log-in. With an address of its own, that one; this machine only where it is named.
fn hosts(kind: StoreKind, endpoint: Option<Url>) -> HostRule {
    HostRule::new(move |url| {
        if let Some(endpoint) = &endpoint
            && (kind == StoreKind::S3 || is_loopback(endpoint))
        {
            return url.origin() == endpoint.origin();
        }
        let host = url.host_str().unwrap_or_default();
        match kind {
            StoreKind::S3 => host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"),
            StoreKind::Azure => host.ends_with(".blob.core.windows.net") || host == "login.microsoftonline.com",
            StoreKind::Gcs => host.ends_with(".googleapis.com"),
        }
    })
}

/// The store's calls, made by `net`.
#[derive(Debug, Clone)]
struct Through {
    http: Http,
    budget: Budget,
    limit: u64,
}

impl HttpConnector for Through {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

type Answered<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Through {
    fn call<'s, 'a>(&'s self, request: HttpRequest) -> Answered<'a>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let failed = |error: NetError| HttpError::new(HttpErrorKind::Unknown, error);
            let built = |cause: &str| failed(NetError::Build { cause: cause.to_owned() });
            let url = Url::parse(&parts.uri.to_string()).map_err(|_| built("the store's address is not understood"))?;
            let get = parts.method == http::Method::GET;
            let mut request =
                Request::new(parts.method, url, Class::Read).header("accept-encoding", "identity").map_err(failed)?;
            for (name, mut value) in parts.headers.into_iter().filter_map(|(name, value)| Some((name?, value))) {
                if name != http::header::HOST && name != http::header::CONTENT_LENGTH {
                    value.set_sensitive(true);
                    request.headers.insert(name, value);
                }
            }
            if let Some(text) = body.as_bytes().filter(|bytes| !bytes.is_empty()) {
                let text = String::from_utf8(text.to_vec()).map_err(|_| built("a body that is no text"))?;
                request = request.body(net::Body::form(text));
            }
            let manner = if get { Manner::Pieces { limit: Some(self.limit) } } else { Manner::Whole };
            let called = self.http.call_by(&request, &manner, &self.budget, classify).await.map_err(failed)?;
            let body = match called.pieces {
                None => HttpResponseBody::from(called.response.body),
                Some(pieces) => HttpResponseBody::new(Coming(Mutex::new(
                    stream::unfold(Some(pieces), |pieces: Option<Pieces>| async move {
                        let mut pieces = pieces?;
                        match pieces.next().await {
                            Ok(Some(piece)) => Some((Ok(piece), Some(pieces))),
                            Ok(None) => None,
                            Err(error) => Some((Err(HttpError::new(HttpErrorKind::Unknown, error)), None)),
                        }
                    })
                    .boxed(),
                ))),
            };
            let mut response = HttpResponse::new(body);
            *response.status_mut() = called.response.status;
            *response.headers_mut() = called.response.headers;
            Ok(response)
        })
    }
}

/// A body that is still coming. The lock is never taken: it makes of what can be sent what can be shared.
struct Coming(Mutex<BoxStream<'static, Result<Bytes, HttpError>>>);

impl Body for Coming {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let stream = self.get_mut().0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        Pin::new(stream).poll_next(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// The error in our words: what `net` said, or the store's own code. Its texts repeat what was signed.
fn told(error: object_store::Error) -> FetchError {
    let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(found) = inner {
        if let Some(found) = found.downcast_ref::<NetError>() {
            return match found {
                NetError::TooLarge { limit, .. } => FetchError::TooLarge { limit: *limit as u64 },
                found => found.clone().into(),
            };
        }
        inner = found.source();
    }
    let code = code(&error.to_string());
    match error {
        object_store::Error::NotFound { .. } => StoreError::Absent { code },
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            StoreError::Refused { code }
        }
        _ => StoreError::Other { code },
    }
    .into()
}

/// What stands in `<Code>`, as S3, Azure and Google write it.
fn code(text: &str) -> Option<String> {
    let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
    (code.len() <= 60 && code.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fit) in [
            ("logins-*.csv", "logins-2026-11-21.csv", true),
            ("logins-*.csv", "logins-.csv", true),
            ("logins-*.csv", "logins-2026.csv.gz", false),
            ("logins-*.csv", "nps-2026.csv", false),
            ("*", "anything", true),
            ("*-*-x", "a-b-x", true),
            ("*-*-x", "a-x", false),
            ("a*a", "a", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn only_the_stores_own_hosts_are_spoken_to() {
        let allows = |kind, endpoint: Option<&str>, url: &str| {
            hosts(kind, endpoint.map(|e| Url::parse(e).unwrap())).allows(&Url::parse(url).unwrap())
        };
        use StoreKind::{Azure, Gcs, S3};
        for (kind, endpoint, url, may) in [
            (S3, None, "https://s3.eu-central-1.amazonaws.com/b/k", true),
            (S3, None, "https://s3.amazonaws.com.evil.example/b/k", false),
            (S3, None, "https://evilamazonaws.com/b/k", false),
            (S3, None, "http://169.254.169.254/latest", false),
            (S3, None, "http://127.0.0.1:9000/b/k", false),
            (S3, Some("https://s3.example.com"), "https://s3.example.com/b/k", true),
            (S3, Some("https://s3.example.com"), "https://s3.example.com:8443/b/k", false),
            (S3, Some("http://127.0.0.1:9000"), "http://127.0.0.1:9000/b/k", true),
            (Azure, None, "https://acme.blob.core.windows.net/c/b", true),
            (Azure, None, "https://login.microsoftonline.com/t/oauth2/v2.0/token", true),
            (Azure, None, "http://169.254.169.254/metadata", false),
            (Azure, Some("https://evil.example"), "https://evil.example/c/b", false),
            (Gcs, None, "https://storage.googleapis.com/b/k", true),
            (Gcs, None, "https://storage.googleapis.com.evil.example/b/k", false),
            (Gcs, None, "http://metadata.google.internal/", false),
        ] {
            assert_eq!(allows(kind, endpoint, url), may, "{kind} {url}");
        }
    }

    #[test]
    fn an_error_tells_the_code_and_not_the_text() {
        let text = "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>secret</StringToSign></Error>";
        assert_eq!(code(text).as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(code("<Code>no code at all</Code>"), None);
        let error = object_store::Error::Generic { store: "S3", source: text.into() };
        assert_eq!(told(error).to_string(), "the store answered with an error (SignatureDoesNotMatch)");
    }
}
