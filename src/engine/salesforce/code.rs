//! Salesforce's error codes and what each asks for.
//!
//! Sources: REST API guide, "Status Codes and Error Responses"; SOAP API guide, "Core Data Types" (ExceptionCode, StatusCode); recordings `error_*.json`
//! and `errors_seen_in_the_wild.json`.

use std::fmt;

/// What an error asks of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// Log in again, then repeat once.
    RefreshSession,
    /// Refused for now, nothing was done: later it may pass.
    RetryLater,
    /// Another process holds the record: later it may pass.
    Lock,
    /// The server failed and may have done it or not.
    Uncertain,
    /// A smaller request may pass.
    Narrow,
    /// No further call of this run can pass: a limit of the day, or storage.
    StopRun,
    /// Follows from the failure of another record or entry.
    Consequence,
    /// It would be refused again.
    Fatal,
}

macro_rules! codes {
    ($($variant:ident $code:literal $treatment:ident,)+) => {
        /// `errorCode` (requests) or `statusCode` (records of a collection).
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum ErrorCode {
            $($variant,)+
            /// A code that this version does not know, as it came (of limited length).
            Other(String),
        }

        impl ErrorCode {
            /// Every known code.
            pub const KNOWN: &'static [ErrorCode] = &[$(ErrorCode::$variant),+];

            /// Reads a code; one that is not known is kept as text.
            pub fn parse(code: &str) -> Self {
                match code {
                    $($code => ErrorCode::$variant,)+
                    other => ErrorCode::Other(super::error::clip(other, 80)),
                }
            }

            /// The code as Salesforce writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(ErrorCode::$variant => $code,)+
                    ErrorCode::Other(code) => code,
                }
            }

            /// What the code asks for, before the message is looked at.
            fn usual(&self) -> Treatment {
                match self {
                    $(ErrorCode::$variant => Treatment::$treatment,)+
                    ErrorCode::Other(_) => Treatment::Fatal,
                }
            }
        }
    };
}

codes! {
    InvalidSessionId "INVALID_SESSION_ID" RefreshSession,
    InvalidAuthHeader "INVALID_AUTH_HEADER" Fatal,
    RequestLimitExceeded "REQUEST_LIMIT_EXCEEDED" StopRun,
    ApiDisabledForOrg "API_DISABLED_FOR_ORG" Fatal,
    ApiCurrentlyDisabled "API_CURRENTLY_DISABLED" RetryLater,
    FunctionalityNotEnabled "FUNCTIONALITY_NOT_ENABLED" Fatal,
    ServerUnavailable "SERVER_UNAVAILABLE" RetryLater,
    UnknownException "UNKNOWN_EXCEPTION" Uncertain,
    InternalError "INTERNAL_ERROR" Uncertain,
    RequestRunningTooLong "REQUEST_RUNNING_TOO_LONG" Narrow,
    QueryTimeout "QUERY_TIMEOUT" Narrow,
    UnableToLockRow "UNABLE_TO_LOCK_ROW" Lock,
    TooManyApexRequests "TOO_MANY_APEX_REQUESTS" RetryLater,
    OperationTooLarge "OPERATION_TOO_LARGE" Narrow,
    TxnSecurityMeteringError "TXN_SECURITY_METERING_ERROR" RetryLater,
    TxnSecurityNoAccess "TXN_SECURITY_NO_ACCESS" Fatal,
    TxnSecurityApexError "TXN_SECURITY_APEX_ERROR" Fatal,
    TxnSecurityRuntimeError "TXN_SECURITY_RUNTIME_ERROR" Fatal,
    InvalidField "INVALID_FIELD" Fatal,
    InvalidType "INVALID_TYPE" Fatal,
    MalformedQuery "MALFORMED_QUERY" Fatal,
    MalformedSearch "MALFORMED_SEARCH" Fatal,
    InvalidQueryFilterOperator "INVALID_QUERY_FILTER_OPERATOR" Fatal,
    InvalidQueryLocator "INVALID_QUERY_LOCATOR" Fatal,
    InvalidBatchSize "INVALID_BATCH_SIZE" Fatal,
    QueryTooComplicated "QUERY_TOO_COMPLICATED" Narrow,
    ExceededIdLimit "EXCEEDED_ID_LIMIT" Narrow,
    NumberOutsideValidRange "NUMBER_OUTSIDE_VALID_RANGE" Fatal,
    NotFound "NOT_FOUND" Fatal,
    EntityIsDeleted "ENTITY_IS_DELETED" Fatal,
    MalformedId "MALFORMED_ID" Fatal,
    InvalidCrossReferenceKey "INVALID_CROSS_REFERENCE_KEY" Fatal,
    InsufficientAccessOrReadonly "INSUFFICIENT_ACCESS_OR_READONLY" Fatal,
    InsufficientAccessOnCrossReferenceEntity "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" Fatal,
    InvalidFieldForInsertUpdate "INVALID_FIELD_FOR_INSERT_UPDATE" Fatal,
    FieldCustomValidationException "FIELD_CUSTOM_VALIDATION_EXCEPTION" Fatal,
    FieldIntegrityException "FIELD_INTEGRITY_EXCEPTION" Fatal,
    FieldFilterValidationException "FIELD_FILTER_VALIDATION_EXCEPTION" Fatal,
    RequiredFieldMissing "REQUIRED_FIELD_MISSING" Fatal,
    StringTooLong "STRING_TOO_LONG" Fatal,
    InvalidEmailAddress "INVALID_EMAIL_ADDRESS" Fatal,
    InvalidOrNullForRestrictedPicklist "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" Fatal,
    TooManyEnumValue "TOO_MANY_ENUM_VALUE" Fatal,
    InvalidTypeOnFieldInRecord "INVALID_TYPE_ON_FIELD_IN_RECORD" Fatal,
    DuplicateValue "DUPLICATE_VALUE" Fatal,
    DuplicatesDetected "DUPLICATES_DETECTED" Fatal,
    CannotInsertUpdateActivateEntity "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" Fatal,
    CannotExecuteFlowTrigger "CANNOT_EXECUTE_FLOW_TRIGGER" Fatal,
    ApexError "APEX_ERROR" Fatal,
    EntityIsLocked "ENTITY_IS_LOCKED" Fatal,
    CannotUpdateConvertedLead "CANNOT_UPDATE_CONVERTED_LEAD" Fatal,
    TransferRequiresRead "TRANSFER_REQUIRES_READ" Fatal,
    InactiveOwnerOrUser "INACTIVE_OWNER_OR_USER" Fatal,
    StorageLimitExceeded "STORAGE_LIMIT_EXCEEDED" StopRun,
    LimitExceeded "LIMIT_EXCEEDED" StopRun,
    ExceededQuota "EXCEEDED_QUOTA" StopRun,
    ExceededMaxSizeRequest "EXCEEDED_MAX_SIZE_REQUEST" Narrow,
    JsonParserError "JSON_PARSER_ERROR" Fatal,
    MethodNotAllowed "METHOD_NOT_ALLOWED" Fatal,
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" Fatal,
    NotAcceptable "NOT_ACCEPTABLE" RetryLater,
    ProcessingHalted "PROCESSING_HALTED" Consequence,
    AllOrNoneOperationRolledBack "ALL_OR_NONE_OPERATION_ROLLED_BACK" Consequence,
    BatchProcessingHalted "BATCH_PROCESSING_HALTED" Consequence,
    NotAllowedDuringMaintenance "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE" RetryLater,
    // Bulk API 2.0 writes its codes without underscores.
    InvalidJob "INVALIDJOB" Fatal,
    InvalidJobState "INVALIDJOBSTATE" Fatal,
    InvalidEntity "INVALIDENTITY" Fatal,
    ClientInputError "CLIENTINPUTERROR" Fatal,
    ApiErrorCode "API_ERROR" Fatal,
    ApiErrorBulk "APIERROR" Fatal,
    ExceededQuotaBulk "EXCEEDEDQUOTA" StopRun,
}

impl ErrorCode {
    /// What an error of this code and message asks for. The message decides where one code stands for two things.
    pub fn treatment(&self, message: &str) -> Treatment {
        match self {
            // "ConcurrentPerOrgLongTxn Limit exceeded." passes in a moment; "TotalRequests Limit exceeded." stays until requests age out of the last 24 hours.
            ErrorCode::RequestLimitExceeded if message.contains("Concurrent") => Treatment::RetryLater,
            // jsforce stops on these two, where a new session would meet the same wall.
            ErrorCode::InvalidSessionId if session_is_beyond_refresh(message) => Treatment::Fatal,
            // A trigger or a flow that ran into a locked row says so inside its own message.
            ErrorCode::CannotInsertUpdateActivateEntity
            | ErrorCode::CannotExecuteFlowTrigger
            | ErrorCode::ApexError
                if message.contains("UNABLE_TO_LOCK_ROW")
                    || message.contains("unable to obtain exclusive access to this record") =>
            {
                Treatment::Lock
            }
            _ => self.usual(),
        }
    }
}

/// 401 texts after which a new session changes nothing (jsforce `src/http-api.ts`).
pub(crate) fn session_is_beyond_refresh(text: &str) -> bool {
    text.contains("Connected app is not attached to Agent")
        || text.contains("This session is not valid for use with the REST API")
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_reads_back() {
        for code in ErrorCode::KNOWN {
            assert_eq!(&ErrorCode::parse(code.as_str()), code);
        }
        assert_eq!(ErrorCode::parse("SOMETHING_NEW"), ErrorCode::Other("SOMETHING_NEW".into()));
    }

    #[test]
    fn the_message_decides_where_a_code_is_ambiguous() {
        let lock = "Trg: execution of BeforeUpdate\n\ncaused by: System.DmlException: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access";
        let table = [
            ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", Treatment::StopRun),
            ("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", Treatment::RetryLater),
            (
                "REQUEST_LIMIT_EXCEEDED",
                "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                Treatment::RetryLater,
            ),
            ("INVALID_SESSION_ID", "Session expired or invalid", Treatment::RefreshSession),
            ("INVALID_SESSION_ID", "This session is not valid for use with the REST API", Treatment::Fatal),
            ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", lock, Treatment::Lock),
            ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trg: a bug", Treatment::Fatal),
            ("UNABLE_TO_LOCK_ROW", "", Treatment::Lock),
            ("STORAGE_LIMIT_EXCEEDED", "", Treatment::StopRun),
            ("PROCESSING_HALTED", "", Treatment::Consequence),
            ("UNKNOWN_EXCEPTION", "", Treatment::Uncertain),
            ("WHATEVER", "", Treatment::Fatal),
        ];
        for (code, message, expected) in table {
            assert_eq!(ErrorCode::parse(code).treatment(message), expected, "{code} {message}");
        }
    }
}
