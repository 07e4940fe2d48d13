///The descriptor of the stage `parse`.
#[allow(dead_code)]
const PARSING: telemetry::StageDescriptor = {
    use telemetry::__private as __ragtrace;
    __ragtrace::StageDescriptor::new("parse", ::core::module_path!())
        .with_fields(
            &[
                __ragtrace::FieldDescriptor::record("pages", "u32"),
                __ragtrace::FieldDescriptor::record("note", "&str"),
            ],
        )
};
fn parse() {
    use telemetry::__private as __ragtrace;
    #[used]
    #[cfg_attr(
        all(unix, not(target_vendor = "apple")),
        unsafe(link_section = "ragtrace_0_1_L2")
    )]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,ragtrace_0_1_L2"))]
    #[cfg_attr(windows, unsafe(link_section = ".rt01l2$b"))]
    static __RAGTRACE_STAGE: __ragtrace::__private::CatalogEntry = __ragtrace::__private::CatalogEntry::new(
        __ragtrace::StageDescriptor::new("parse", ::core::module_path!())
            .with_fields(
                &[
                    __ragtrace::FieldDescriptor::record("pages", "u32"),
                    __ragtrace::FieldDescriptor::record("note", "&str"),
                ],
            ),
    );
    static __RAGTRACE_RECORDING: &__ragtrace::StageDescriptor = __RAGTRACE_STAGE.get();
    #[allow(unused_macros)]
    macro_rules! record {
        () => {};
        (pages = $value:expr $(, $($rest:tt)*)?) => {
            { let value : u32 = $value;
            __ragtrace::__private::record(__RAGTRACE_RECORDING, 0u16, & value);
            $(record!($($rest)*);)? }
        };
        (note = $value:expr $(, $($rest:tt)*)?) => {
            { let value : & str = $value;
            __ragtrace::__private::record(__RAGTRACE_RECORDING, 1u16, & value);
            $(record!($($rest)*);)? }
        };
        ($($other:tt)*) => {
            __ragtrace::__private::undeclared!("pages note", $($other)*)
        };
    }
    return {
        let mut __span = __ragtrace::__private::open_bare(&__RAGTRACE_STAGE);
        let mut __entered = __span.call();
        let mut __body = move || -> () { record!(pages = 1) };
        let __out = if __ragtrace::__private::is_large(&__body) {
            (__body)()
        } else {
            __entered.run(__body)
        };
        __entered
            .end(|__end| match __ragtrace::__private::Probe::new(&__out).split() {
                ::core::result::Result::Ok(__out) => {
                    __end.count(__ragtrace::__private::CountProbe::new(__out).count());
                }
                ::core::result::Result::Err(__out) => {
                    __end.fail(__ragtrace::__private::ErrorProbe::new(__out).capture());
                }
            });
        __out
    };
}
