async fn chunk_document(doc: &Document) -> Result<Vec<Chunk>, IngestError> {
    ::ragtrace::__private::catalog_entry! {
        static __RAGTRACE_STAGE = ::ragtrace::StageDescriptor::new("chunk_document",
        ::core::module_path!()).with_kind(::ragtrace::StageKind::Chunk).with_fields(&
        [::ragtrace::FieldDescriptor::start("doc.name"),
        ::ragtrace::FieldDescriptor::ok("avg_chars")]);
    }
    return ::ragtrace::__private::run(
            {
                let mut __fields = ::ragtrace::__private::start_fields();
                if __fields.is_wanted() {
                    (|__fields: &mut ::ragtrace::__private::FieldBuffer| {
                        __fields.set(0u16, &doc.name);
                    })(&mut __fields);
                }
                ::ragtrace::__private::open(&__RAGTRACE_STAGE, __fields)
            },
            async move {
                if false {
                    return ::ragtrace::__private::expected::<
                        Result<Vec<Chunk>, IngestError>,
                    >();
                }
                ({ split(doc).await })
            },
            move |__out, __end| match ::ragtrace::__private::Probe::new(__out).split() {
                ::core::result::Result::Ok(__out) => {
                    __end.count(::ragtrace::__private::CountProbe::new(__out).count());
                    let chunks = __out;
                    __end.set(1u16, &mean_chars(chunks));
                }
                ::core::result::Result::Err(__out) => {
                    __end.fail(::ragtrace::__private::ErrorProbe::new(__out).capture());
                }
            },
        )
        .await;
}
