# The addon's target, for binding.gyp of a clone and that of the package. `native`: the folder of its sources, from there.
{
  "variables": {
    # sys_<(sys).cc: linux, darwin, or posix (what every POSIX system has; builds on the others too)
    "variables": {
      "conditions": [["OS=='mac'", { "platform_sys": "darwin" }], ["OS=='linux'", { "platform_sys": "linux" }],
        ["OS!='mac' and OS!='linux'", { "platform_sys": "posix" }]]
    },
    "sys%": "<(platform_sys)",
    "sanitize%": "",
    "assertions%": 0
  },
  "target_defaults": {
    "cflags": ["-Wall", "-Wextra", "-Wpedantic", "-Werror"],
    "conditions": [
      ["sanitize!=''", {
        "cflags": ["-fsanitize=<(sanitize)", "-fno-omit-frame-pointer", "-g", "-O1"],
        "ldflags": ["-fsanitize=<(sanitize)"]
      }],
      ["assertions==1", { "defines": ["NEARWIRE_ASSERTIONS=1"], "cflags": ["-g"] }]
    ]
  },
  "targets": [
    {
      "target_name": "nearwire",
      "sources": [
        "<(native)/addon.cc",
        "<(native)/js_abi.cc",
        "<(native)/js_engine.cc",
        "<(native)/js_engine_connect.cc",
        "<(native)/js_engine_listen.cc",
        "<(native)/js_engine_socket.cc",
        "<(native)/js_engine_write.cc",
        "<(native)/js_file_reads.cc",
        "<(native)/js_engine_splice.cc",
        "<(native)/js_parts.cc",
        "<(native)/js_convert.cc",
        "<(native)/js_page.cc",
        "<(native)/js_tally.cc",
        "<(native)/js_diag.cc",
        "<(native)/engine.cc",
        "<(native)/turn.cc",
        "<(native)/spin.cc",
        "<(native)/connection.cc",
        "<(native)/connection_reader.cc",
        "<(native)/connection_writer.cc",
        "<(native)/connection_writer_files.cc",
        "<(native)/send_buffer_policy.cc",
        "<(native)/listener.cc",
        "<(native)/balance.cc",
        "<(native)/js_balance.cc",
        "<(native)/tally.cc",
        "<(native)/watcher.cc",
        "<(native)/write_queue.cc",
        "<(native)/splice.cc",
        "<(native)/file_sink.cc",
        "<(native)/pipe_pool.cc",
        "<(native)/file_reference.cc",
        "<(native)/cold_read.cc",
        "<(native)/page.cc",
        "<(native)/slab.cc",
        "<(native)/heap_top.cc",
        "<(native)/address.cc",
        "<(native)/characters.cc",
        "<(native)/header_names.cc",
        "<(native)/request_head.cc",
        "<(native)/uwsgi_variables.cc",
        "<(native)/trial.cc",
        "<(native)/buffers.cc",
        "<(native)/js_options.cc",
        "<(native)/options.cc",
        "<(native)/options_<(sys).cc",
        "<(native)/sys_common.cc",
        "<(native)/sys_probe.cc",
        "<(native)/sys_shared.cc",
        "<(native)/sys_diag_<(sys).cc",
        "<(native)/sys_<(sys).cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc": ["-std=c++20", "-fvisibility=hidden"],
      "cflags_cc!": ["-std=gnu++17", "-std=c++17", "-std=gnu++20"],
      "conditions": [
        ["sys=='linux'", { "sources": ["<(native)/sys_describe_linux.cc"] }],
        ["sanitize!='' and OS=='linux'", {
          "sources": ["<(native)/termination_gate.cc"],
          "ldflags": [
            "-Wl,--wrap=napi_call_function",
            "-Wl,--wrap=napi_new_instance",
            "-Wl,--wrap=napi_make_callback",
            "-Wl,--wrap=napi_wrap",
            "-Wl,--wrap=napi_unwrap",
            "-Wl,--wrap=napi_type_tag_object",
            "-Wl,--wrap=napi_check_object_type_tag",
            "-Wl,--wrap=napi_coerce_to_bool",
            "-Wl,--wrap=napi_create_arraybuffer",
            "-Wl,--wrap=napi_create_external_arraybuffer",
            "-Wl,--wrap=napi_create_typedarray",
            "-Wl,--wrap=napi_create_function",
            "-Wl,--wrap=napi_define_class",
            "-Wl,--wrap=napi_define_properties",
            "-Wl,--wrap=napi_get_element",
            "-Wl,--wrap=napi_set_element",
            "-Wl,--wrap=napi_get_property",
            "-Wl,--wrap=napi_has_property",
            "-Wl,--wrap=napi_get_named_property",
            "-Wl,--wrap=napi_set_named_property"
          ]
        }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "WARNING_CFLAGS": ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
          }
        }]
      ]
    }
  ]
}
