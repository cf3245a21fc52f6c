-- Small ones of other kinds.
\set writer :client_id
\set step random(0, 1000000)
\set what random(0, 4)
\if :what = 0
SELECT number(:writer, 1);
\elif :what = 1
SELECT swap(:writer, :step);
\elif :what = 2
SELECT change_alike(:writer, :step);
\elif :what = 3
SELECT toast(:writer, :step);
\else
SELECT scribble(:writer, 20);
\endif
