//! Plans carried out: precheck, execution, journal, resume, outcomes. Knows neither how a plan was made nor the terminal.
