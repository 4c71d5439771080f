%% The application as a Yaws appmod: each work in the way an application does it.
-module(nearwire_cost).
-export([out/1]).

-define(JSON_BYTES, 1024).
%% How long a piece of work is timed, and how often, to find out how many steps make a millisecond.
-define(CALIBRATION_STEPS, 100000).
-define(CALIBRATION_ROUNDS, 50).

out(Arg) ->
    case yaws_api:arg_server_path(Arg) of
        "/hello" -> {content, "text/plain", <<"hello world\n">>};
        "/json" ->
            burn(millis_of(yaws_api:arg_querydata(Arg))),
            {content, "application/json", json_body()};
        "/empty" ->
            "bytes=" ++ Bytes = yaws_api:arg_querydata(Arg),
            {content, "text/plain", kept({empty, Bytes}, fun() -> binary:copy(<<"x">>, list_to_integer(Bytes)) end)};
        _ -> [{status, 404}, {content, "text/plain", <<>>}]
    end.

json_body() ->
    iolist_to_binary(json2:encode(kept(document, fun document/0))).

document() ->
    Items = [{struct, [{"id", I}, {"title", "item " ++ integer_to_list(I)}, {"done", I rem 2 =:= 0}]}
             || I <- lists:seq(0, 11)],
    Build = fun(Padding) -> {struct, [{"name", "nearwire"}, {"items", {array, Items}}, {"padding", Padding}]} end,
    Bare = iolist_size(json2:encode(Build(""))),
    Build(lists:duplicate(?JSON_BYTES - Bare, $.)).

millis_of("ms=" ++ Value) ->
    case string:to_float(Value) of
        {error, _} -> list_to_integer(Value);
        {Float, _} -> Float
    end;
millis_of(_) -> 1.

%% An Erlang process has no CPU clock that it could read, as it runs on whatever thread there is. How many steps make a
%% millisecond is found out once: the shortest of many timings is one in which nothing else ran.
burn(Millis) when Millis > 0 ->
    steps(round(Millis * kept(steps, fun steps_per_milli/0)));
burn(_) -> ok.

steps_per_milli() ->
    Timings = [element(1, timer:tc(fun() -> steps(?CALIBRATION_STEPS) end))
               || _ <- lists:seq(1, ?CALIBRATION_ROUNDS)],
    ?CALIBRATION_STEPS * 1000 / max(1, lists:min(Timings)).

steps(0) -> ok;
steps(N) -> steps(N - 1).

%% Made once, and shared by all processes without a copy.
kept(Name, Make) ->
    Key = {?MODULE, Name},
    case persistent_term:get(Key, undefined) of
        undefined ->
            Value = Make(),
            persistent_term:put(Key, Value),
            Value;
        Value -> Value
    end.
