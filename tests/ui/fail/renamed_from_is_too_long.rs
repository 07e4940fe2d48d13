use ragtrace::traced_stage;

#[traced_stage(renamed_from = "a_name_that_goes_on_and_on_and_on_and_on_until_nobody_remembers_how_it_began")]
fn chunk() {}

fn main() {}
