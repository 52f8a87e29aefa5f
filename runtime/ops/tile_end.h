/* tile_end: takes back what each_float.h defined for one element type. */
#undef T
#undef V
#undef VW
#undef MR
#undef FMA
#undef FMA1
#undef SPLAT
#undef LOAD
#undef STORE
#undef TURN
#undef M_
