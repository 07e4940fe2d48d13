pub fn parse(text: &str) -> Outline {
    ::ragtrace::__private::catalog_entry! {
        static __RAGTRACE_STAGE = ::ragtrace::StageDescriptor::new("parse",
        ::core::module_path!());
    }
    return {
        let mut __span = ::ragtrace::__private::open_bare(&__RAGTRACE_STAGE);
        let mut __entered = __span.call();
        let mut __body = move || -> Outline { outline(text) };
        let __out = if ::ragtrace::__private::is_large(&__body) {
            (__body)()
        } else {
            __entered.run(__body)
        };
        __entered
            .end(|__end| match ::ragtrace::__private::Probe::new(&__out).split() {
                ::core::result::Result::Ok(__out) => {
                    __end.count(::ragtrace::__private::CountProbe::new(__out).count());
                }
                ::core::result::Result::Err(__out) => {
                    __end.fail(::ragtrace::__private::ErrorProbe::new(__out).capture());
                }
            });
        __out
    };
}
