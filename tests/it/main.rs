mod errors;
mod errors_faults;
mod errors_remedies;
mod sentry_contract;
mod upstream;
mod world;
