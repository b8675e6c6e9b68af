//! The emulator's queries.

#[path = "../../../src/emulator/soql/ast.rs"]
mod ast;
#[path = "../../../src/emulator/soql/failure.rs"]
mod failure;
#[path = "../../../src/emulator/soql/lexer.rs"]
mod lexer;
#[path = "../../../src/emulator/soql/parser.rs"]
mod parser;
#[path = "../../../src/emulator/soql/relative.rs"]
mod relative;
#[path = "../../../src/emulator/soql/values.rs"]
mod values;

/// What is parsed and printed parses to the same, and prints alike.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parser::parse(text) {
        Ok(query) => {
            let printed = query.to_string();
            let again = parser::parse(&printed).unwrap_or_else(|e| panic!("{e}: {printed}"));
            assert_eq!(again.to_string(), printed);
        }
        Err(failure) => assert_ne!(failure.code, failure::UNKNOWN),
    }
}
