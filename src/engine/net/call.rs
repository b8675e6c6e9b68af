//! A call with its repeats: send, ask the classifier, look into the table, wait.

use super::{Budget, Decision, Happened, Http, Manner, NetError, Pieces, Request, Response, Verdict, decide};

/// An answer that is not to be asked for again here.
#[derive(Debug)]
pub struct Called {
    /// The last answer.
    pub response: Response,
    /// Its body, where it was asked for in pieces and is good.
    pub pieces: Option<Pieces>,
    /// What the classifier said of it. `Retry` and `Lost` mean that the table or the budget ended the repeats.
    pub verdict: Verdict,
    /// How often it was sent.
    pub tries: u32,
}

impl Http {
    /// Sends a request, and sends it again as the table and the budget allow.
    pub async fn call(
        &self,
        request: &Request,
        budget: &Budget,
        classify: impl Fn(&Response) -> Verdict,
    ) -> Result<Called, NetError> {
        self.call_by(request, &Manner::Whole, budget, classify).await
    }

    /// The same in this manner. An answer in pieces is repeated until its head is good; a body that breaks off is told by [`Pieces::next`]. A body that is
    /// fed is sent again as long as all of it is still held ([`Feed`](super::Feed)).
    pub async fn call_by(
        &self,
        request: &Request,
        manner: &Manner,
        budget: &Budget,
        classify: impl Fn(&Response) -> Verdict,
    ) -> Result<Called, NetError> {
        let mut repeated = 0;
        loop {
            budget.sent();
            let outcome = self.send_by(request, manner, Some(budget)).await;
            let (happened, outcome) = match outcome {
                Ok((response, pieces)) => {
                    let verdict = classify(&response);
                    (Happened::Answer(verdict), Ok(Called { response, pieces, verdict, tries: repeated + 1 }))
                }
                Err(NetError::Failed { trouble, method, url, cause, .. }) => {
                    let error = NetError::Failed { trouble, method, url, cause, tries: repeated + 1 };
                    (Happened::Trouble(trouble), Err(error))
                }
                Err(final_error) => return Err(final_error),
            };
            let again = match decide(request.class, happened) {
                Decision::HandBack => false,
                Decision::Wait { .. } if !manner.can_repeat() => false,
                Decision::Wait { after } => {
                    tracing::debug!(target: "footbridge::net", ?request, ?happened, repeated, "not good yet");
                    budget.pause(repeated, after, &why(request, &outcome)).await
                }
            };
            if !again {
                return outcome;
            }
            repeated += 1;
        }
    }
}

/// Why a call is sent again, for people.
fn why(request: &Request, outcome: &Result<Called, NetError>) -> String {
    let host = request.url.host_str().unwrap_or("the server");
    match outcome {
        Ok(called) => format!("{host} answered {}", called.response.status.as_u16()),
        Err(NetError::Failed { trouble, .. }) => format!("{host}: {}", trouble.as_str()),
        Err(_) => format!("no answer from {host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Reply, Server};
    use super::super::{BackoffSettings, Class, Trouble};
    use super::*;
    use http::Method;

    fn classify(response: &Response) -> Verdict {
        match response.status.as_u16() {
            200 => Verdict::Done,
            401 => Verdict::Refresh,
            429 => Verdict::Retry { after: super::super::retry_after(response) },
            500..=599 => Verdict::Lost { after: None },
            _ => Verdict::Fatal,
        }
    }

    async fn run(class: Class, script: Vec<Reply>) -> (Result<Called, NetError>, usize, Budget) {
        let server = Server::start(script).await;
        let budget = Budget::new(BackoffSettings::immediate());
        let request = Request::new(Method::POST, server.url("/x"), class);
        let outcome = server.http().call(&request, &budget, classify).await;
        (outcome, server.seen().len(), budget)
    }

    #[tokio::test]
    async fn a_read_goes_on_after_500_429_and_a_cut() {
        let script = vec![
            Reply::status(500),
            Reply::status(429).header("Retry-After", "30"),
            Reply::cut_in_body(),
            Reply::json("{}"),
        ];
        let (outcome, seen, budget) = run(Class::Read, script).await;
        let called = outcome.unwrap();
        assert_eq!((called.tries, seen), (4, 4));
        assert_eq!((budget.counters().calls, budget.counters().repeats), (4, 3));
    }

    #[tokio::test]
    async fn a_write_is_not_repeated_after_a_cut_or_a_500() {
        let (outcome, seen, _) = run(Class::IdempotentWrite, vec![Reply::cut_before_head(), Reply::json("{}")]).await;
        assert!(matches!(outcome, Err(NetError::Failed { trouble: Trouble::Reset, tries: 1, .. })), "{outcome:?}");
        assert_eq!(seen, 1);
        let (outcome, seen, _) = run(Class::IdempotentWrite, vec![Reply::status(500), Reply::json("{}")]).await;
        assert_eq!(outcome.unwrap().verdict, Verdict::Lost { after: None });
        assert_eq!(seen, 1);
    }

    #[tokio::test]
    async fn a_write_is_repeated_when_it_was_refused_for_now() {
        let (outcome, seen, _) = run(Class::IdempotentWrite, vec![Reply::status(429), Reply::json("{}")]).await;
        assert_eq!(outcome.unwrap().verdict, Verdict::Done);
        assert_eq!(seen, 2);
    }

    #[tokio::test]
    async fn repeats_end_with_the_budget_and_the_last_answer_comes_back() {
        let (outcome, seen, _) = run(Class::Read, vec![Reply::status(503)]).await;
        let called = outcome.unwrap();
        assert_eq!((called.response.status.as_u16(), called.tries, seen), (503, 6, 6));
    }

    #[tokio::test]
    async fn a_refused_connection_is_told_as_not_sent() {
        let server = Server::start(vec![Reply::json("{}")]).await;
        let (http, url) = (server.http(), server.url("/x?q=hidden"));
        drop(server);
        let budget = Budget::new(BackoffSettings::immediate());
        let error =
            http.call(&Request::new(Method::PATCH, url, Class::IdempotentWrite), &budget, classify).await.unwrap_err();
        assert_eq!(error.sent(), super::super::Sent::No);
        assert!(error.to_string().contains("tried 6 times") && !error.to_string().contains("hidden"), "{error}");
    }
}
