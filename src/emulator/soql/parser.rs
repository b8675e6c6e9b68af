//! Tokens → tree, by recursive descent. Knows the grammar: what may stand where. Knows no object, field or type.

use super::ast::{AGGREGATES, At, Condition, GROUPS, Item, List, Literal, Operator, Order, PURPOSES, Path, Query};
use super::failure::{Failure, MALFORMED, TOO_COMPLICATED};
use super::lexer::{Kind, Token, tokens, unquoted};
use super::relative::Relative;
use super::values;

/// Longest statement, in characters.
/// <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_limits.htm>
const LONGEST: usize = 100_000;

/// Deepest nesting of brackets and NOTs. Salesforce has a limit of its own, unconfirmed.
const DEEPEST: usize = 100;

/// Words that end the list of conditions and so are no alias after the object.
const CLAUSES: [&str; 12] =
    ["WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "ALL", "UPDATE", "FROM"];

/// Words that begin no field.
const RESERVED: [&str; 6] = ["SELECT", "FROM", "WHERE", "AND", "OR", "NOT"];

/// The tree of a query.
pub(super) fn parse(text: &str) -> Result<Query, Failure> {
    if text.chars().count() > LONGEST {
        return Err(Failure::plain(MALFORMED, format!("SOQL statements cannot be longer than {LONGEST} characters.")));
    }
    if text.trim().is_empty() {
        return Err(Failure::plain(MALFORMED, "A query string has to be specified"));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0 };
    let query = parser.query()?;
    if parser.peek().kind == Kind::End { Ok(query) } else { Err(parser.unexpected()) }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn ahead(&self, count: usize) -> Token {
        // The last token is `End` and is never passed.
        self.tokens[(self.next + count).min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> Token {
        self.ahead(0)
    }

    fn bump(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn slice(&self, token: Token) -> &'t str {
        &self.text[token.at..token.end]
    }

    fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == Kind::Word && self.slice(token).eq_ignore_ascii_case(word)
    }

    fn is_sign(&self, token: Token, sign: &str) -> bool {
        token.kind == Kind::Sign && self.slice(token) == sign
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(self.peek(), word);
        self.next += usize::from(found);
        found
    }

    fn accept_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(self.peek(), sign);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Failure> {
        if self.accept_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Failure> {
        if self.accept_sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn word(&mut self) -> Result<&'t str, Failure> {
        if self.peek().kind != Kind::Word {
            return Err(self.unexpected());
        }
        let token = self.bump();
        Ok(self.slice(token))
    }

    fn unexpected(&self) -> Failure {
        let token = self.peek();
        let shown = if token.kind == Kind::End { "<EOF>" } else { self.slice(token) };
        self.malformed(token, format!("unexpected token: '{shown}'"))
    }

    fn malformed(&self, token: Token, message: impl AsRef<str>) -> Failure {
        Failure::at(self.text, token.at, MALFORMED, message)
    }

    fn not_emulated(&self, what: &str) -> Failure {
        Failure::not_emulated(self.text, self.peek().at, what)
    }

    fn query(&mut self) -> Result<Query, Failure> {
        self.expect_word("SELECT")?;
        let mut items = vec![self.item()?];
        while self.accept_sign(",") {
            items.push(self.item()?);
        }
        self.expect_word("FROM")?;
        let object_at = At(self.peek().at);
        let object = self.word()?.to_owned();
        let alias = self.object_alias()?;
        self.refuse(&[("USING", "USING SCOPE")])?;
        let filter = if self.accept_word("WHERE") { Some(self.condition()?) } else { None };
        self.refuse(&[("WITH", "WITH"), ("GROUP", "GROUP BY"), ("HAVING", "HAVING")])?;
        let mut order = Vec::new();
        if self.accept_word("ORDER") {
            self.expect_word("BY")?;
            order.push(self.order()?);
            while self.accept_sign(",") {
                order.push(self.order()?);
            }
        }
        let limit = if self.accept_word("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.accept_word("OFFSET") { Some(self.count()?) } else { None };
        let mut purpose = None;
        if self.accept_word("FOR") {
            let found = PURPOSES.iter().find(|(name, _)| self.is_word(self.peek(), name)).map(|(_, purpose)| *purpose);
            purpose = Some(found.ok_or_else(|| self.unexpected())?);
            self.next += 1;
        }
        if self.is_word(self.peek(), "ALL") && self.is_word(self.ahead(1), "ROWS") {
            return Err(self.malformed(self.peek(), "ALL ROWS not allowed in this context"));
        }
        self.refuse(&[("UPDATE", "UPDATE")])?;
        Ok(Query { items, object, object_at, alias, filter, order, limit, offset, purpose })
    }

    /// Clauses that Salesforce has and the emulator has not.
    fn refuse(&self, clauses: &[(&str, &str)]) -> Result<(), Failure> {
        match clauses.iter().find(|(word, _)| self.is_word(self.peek(), word)) {
            Some((_, what)) => Err(self.not_emulated(what)),
            None => Ok(()),
        }
    }

    fn object_alias(&mut self) -> Result<Option<String>, Failure> {
        if self.accept_word("AS") {
            return self.word().map(|alias| Some(alias.to_owned()));
        }
        let token = self.peek();
        if token.kind != Kind::Word || CLAUSES.iter().any(|clause| self.is_word(token, clause)) {
            return Ok(None);
        }
        self.word().map(|alias| Some(alias.to_owned()))
    }

    fn item(&mut self) -> Result<Item, Failure> {
        let token = self.peek();
        if self.is_sign(token, "(") && self.is_word(self.ahead(1), "SELECT") {
            return Err(self.not_emulated("child queries in SELECT"));
        }
        if self.is_word(token, "TYPEOF") && self.ahead(1).kind == Kind::Word && !self.is_word(self.ahead(1), "FROM") {
            return Err(self.not_emulated("TYPEOF"));
        }
        if token.kind == Kind::Word && self.is_sign(self.ahead(1), "(") {
            return self.function();
        }
        let path = self.path()?;
        Ok(Item::Field { path, alias: self.item_alias()? })
    }

    fn item_alias(&mut self) -> Result<Option<String>, Failure> {
        if self.peek().kind != Kind::Word || self.is_word(self.peek(), "FROM") {
            return Ok(None);
        }
        self.word().map(|alias| Some(alias.to_owned()))
    }

    fn function(&mut self) -> Result<Item, Failure> {
        let token = self.peek();
        let name = self.slice(token);
        if self.is_word(token, "FIELDS") {
            self.next += 2;
            let found = GROUPS.iter().find(|(group, _)| self.is_word(self.peek(), group)).map(|(_, group)| *group);
            let group = found.ok_or_else(|| self.unexpected())?;
            self.next += 1;
            self.expect_sign(")")?;
            return Ok(Item::Fields { group, at: At(token.at) });
        }
        if self.is_word(token, "COUNT") && self.is_sign(self.ahead(2), ")") {
            self.next += 3;
            return Ok(Item::Count { at: At(token.at) });
        }
        let label = self.is_word(token, "toLabel");
        let aggregate = AGGREGATES.iter().find(|(function, _)| function.eq_ignore_ascii_case(name)).map(|(_, a)| *a);
        if !label && aggregate.is_none() {
            return Err(self.not_emulated(&format!("function {name}()")));
        }
        self.next += 2;
        let path = self.path()?;
        self.expect_sign(")")?;
        let alias = self.item_alias()?;
        Ok(match aggregate {
            Some(function) => Item::Aggregate { function, path, alias },
            None => Item::Label { path, alias },
        })
    }

    fn path(&mut self) -> Result<Path, Failure> {
        if RESERVED.iter().any(|word| self.is_word(self.peek(), word)) {
            return Err(self.unexpected());
        }
        let at = At(self.peek().at);
        let mut parts = vec![self.word()?.to_owned()];
        while self.accept_sign(".") {
            parts.push(self.word()?.to_owned());
        }
        Ok(Path { parts, at })
    }

    fn order(&mut self) -> Result<Order, Failure> {
        if self.is_sign(self.ahead(1), "(") {
            return Err(self.not_emulated("functions in ORDER BY"));
        }
        let path = self.path()?;
        let descending = self.accept_word("DESC");
        if !descending {
            self.accept_word("ASC");
        }
        let mut nulls_last = false;
        if self.accept_word("NULLS") {
            nulls_last = self.accept_word("LAST");
            if !nulls_last {
                self.expect_word("FIRST")?;
            }
        }
        Ok(Order { path, descending, nulls_last })
    }

    /// A whole number after LIMIT, OFFSET or `LAST_N_DAYS:`, within Java's `int`.
    fn count(&mut self) -> Result<u64, Failure> {
        let token = self.peek();
        if token.kind != Kind::Number {
            return Err(self.unexpected());
        }
        let count = self.slice(token).parse::<u64>().ok().filter(|count| *count <= i32::MAX as u64);
        self.next += 1;
        count.ok_or_else(|| self.malformed(token, format!("For input string: \"{}\"", self.slice(token))))
    }

    /// One level deeper, unless that is too deep for a stack.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.depth == DEEPEST {
            let message = "Query is either selecting too many fields or the filter conditions are too complicated.";
            return Err(Failure::at(self.text, self.peek().at, TOO_COMPLICATED, message));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// Conditions joined by AND, or by OR; both only with brackets between them.
    fn condition(&mut self) -> Result<Condition, Failure> {
        let first = self.single()?;
        for (word, join) in [("AND", Condition::All as fn(Vec<Condition>) -> Condition), ("OR", Condition::Any)] {
            if self.is_word(self.peek(), word) {
                let mut parts = vec![first];
                while self.accept_word(word) {
                    parts.push(self.single()?);
                }
                if self.is_word(self.peek(), "AND") || self.is_word(self.peek(), "OR") {
                    return Err(self.unexpected());
                }
                return Ok(join(parts));
            }
        }
        Ok(first)
    }

    fn single(&mut self) -> Result<Condition, Failure> {
        if self.accept_word("NOT") {
            return self.nested(Self::single).map(|inner| Condition::Not(Box::new(inner)));
        }
        if self.accept_sign("(") {
            let inner = self.nested(Self::condition)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        if self.peek().kind == Kind::Word && self.is_sign(self.ahead(1), "(") {
            return Err(self.not_emulated(&format!("function {}() in WHERE", self.slice(self.peek()))));
        }
        let path = self.path()?;
        self.comparison(path)
    }

    fn comparison(&mut self, path: Path) -> Result<Condition, Failure> {
        let token = self.peek();
        if token.kind == Kind::Sign {
            let operator = match self.slice(token) {
                "=" => Operator::Equal,
                "!=" | "<>" => Operator::NotEqual,
                "<" => Operator::Less,
                "<=" => Operator::LessOrEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterOrEqual,
                _ => return Err(self.unexpected()),
            };
            self.next += 1;
            return Ok(Condition::Compare { path, operator, value: self.literal()? });
        }
        if self.accept_word("LIKE") {
            return Ok(Condition::Like { path, pattern: self.string(true)? });
        }
        for (word, negated) in [("INCLUDES", false), ("EXCLUDES", true)] {
            if self.accept_word(word) {
                self.expect_sign("(")?;
                let mut groups = vec![self.string(false)?];
                while self.accept_sign(",") {
                    groups.push(self.string(false)?);
                }
                self.expect_sign(")")?;
                return Ok(Condition::Includes { path, negated, groups });
            }
        }
        let negated = self.accept_word("NOT");
        self.expect_word("IN")?;
        if self.is_sign(self.peek(), ":") {
            return Err(self.bind_variable());
        }
        self.expect_sign("(")?;
        let list = if self.is_word(self.peek(), "SELECT") {
            List::Query(Box::new(self.nested(Self::query)?))
        } else {
            let mut values = vec![self.literal()?];
            while self.accept_sign(",") {
                values.push(self.literal()?);
            }
            List::Values(values)
        };
        self.expect_sign(")")?;
        Ok(Condition::In { path, negated, list })
    }

    fn string(&mut self, pattern: bool) -> Result<String, Failure> {
        if self.peek().kind != Kind::Text {
            return Err(self.unexpected());
        }
        let token = self.bump();
        unquoted(self.text, token, pattern)
    }

    fn bind_variable(&self) -> Failure {
        self.malformed(self.peek(), "Bind variables only allowed in Apex code")
    }

    fn literal(&mut self) -> Result<Literal, Failure> {
        let token = self.peek();
        let written = self.slice(token);
        let of_date = |kind: &str| self.malformed(token, format!("Invalid {kind}: {written}"));
        let literal = match token.kind {
            Kind::Text => return self.string(false).map(Literal::Text),
            Kind::Number => Literal::Number(written.to_owned()),
            Kind::Date => Literal::Date(values::parse_date(written).ok_or_else(|| of_date("date"))?),
            Kind::Datetime => Literal::Datetime(values::parse_datetime(written).ok_or_else(|| of_date("datetime"))?),
            Kind::Time => Literal::Time(values::parse_time(written).ok_or_else(|| of_date("time"))?),
            Kind::Word if self.is_word(token, "null") => Literal::Null,
            Kind::Word if self.is_word(token, "true") => Literal::Boolean(true),
            Kind::Word if self.is_word(token, "false") => Literal::Boolean(false),
            Kind::Word => {
                let relative = Relative::word(written).ok_or_else(|| self.unexpected())?;
                self.next += 1;
                if !relative.wants_count() {
                    return Ok(Literal::Relative(relative));
                }
                self.expect_sign(":")?;
                let count = u32::try_from(self.count()?).unwrap_or(u32::MAX);
                return Ok(Literal::Relative(relative.with_count(count)));
            }
            Kind::Sign if written == ":" => return Err(self.bind_variable()),
            Kind::Sign | Kind::End => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(literal)
    }
}
