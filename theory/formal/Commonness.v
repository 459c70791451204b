(** * Where a common growth is needed, and what does without it

    Every request grows by an amount of its own, some slots are empty before the step, and workers
    may differ in the number of their slots.  Then the admission fills every slot.  What a worker
    can reach is what it could reach with all slots full and a common growth, but for three terms:
    what its requests grow by, what enters the slots that were empty, and the slots that it has.

    Claim: [drift.uncommon]. *)

From Coq Require Import Reals Lra ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Waterfill Departures Recursion Spread Spacing.
Import ListNotations.
Open Scope Z_scope.

(** A request: its load at the step, what it grows by, and whether it departs then. *)
Record worker := Worker { requests : list (Z * Z * bool); slots : nat }.

Definition fits (w : worker) : Prop := (length (requests w) <= slots w)%nat.
Definition empty (w : worker) : nat := (slots w - length (requests w))%nat.

Definition load (w : worker) : Z := sum (map (fun r => fst (fst r)) (requests w)).
Definition growth (w : worker) : Z := sum (map (fun r => snd (fst r)) (requests w)).

(** The requests with their growth. *)
Definition jobs_of (w : worker) : list job :=
  map (fun r => (fst (fst r) + snd (fst r), snd r)) (requests w).

(** What the worker gains before anything departs, each empty slot given size [y]. *)
Definition gains (y : Z) (w : worker) : Z := growth w + Z.of_nat (empty w) * y.

(** The step that follows the departures. *)
Definition refill_all (workers : list worker) (pool : list Z) : step :=
  Step (map (fun w => sum (kept (jobs_of w))) workers)
       (map (fun w => empty w + gone (jobs_of w))%nat workers) pool.

Lemma held_jobs : forall w, held (jobs_of w) = load w + growth w.
Proof.
  intros [rs B]. unfold held, jobs_of, load, growth. simpl. rewrite map_map. simpl.
  induction rs as [|r rs IH]; simpl; [reflexivity|]. rewrite IH. lia.
Qed.

Open Scope R_scope.

(** The load with every free slot given size [y]. *)
Lemma every_slot_given : forall p y w, fits w ->
  IZR (sum (kept (jobs_of w)) + Z.of_nat (empty w + gone (jobs_of w)) * y)
  = (1 - p) * IZR (load w + gains y w) + p * INR (slots w) * IZR y - X p y (jobs_of w).
Proof.
  intros p y w F. rewrite Nat2Z.inj_add, Z.mul_add_distr_r.
  replace (sum (kept (jobs_of w)) + (Z.of_nat (empty w) * y + Z.of_nat (gone (jobs_of w)) * y))%Z
    with (Z.of_nat (empty w) * y + (sum (kept (jobs_of w)) + Z.of_nat (gone (jobs_of w)) * y))%Z
    by ring.
  rewrite plus_IZR, (refilled p), held_jobs. unfold gains. unfold fits in F.
  assert (L : INR (slots w) = INR (length (jobs_of w)) + INR (empty w)).
  { unfold empty, jobs_of. rewrite map_length, minus_INR by exact F. lra. }
  rewrite L, !plus_IZR, !mult_IZR, <- INR_IZR_INZ. lra.
Qed.

(** [N = max_g X_g + max_h Y_h], [X] at [b] and [Y] at [a]. *)
Definition most_X (p : R) (b : Z) (workers : list worker) : R :=
  maximum (map (fun w => X p b (jobs_of w)) workers).
Definition most_Y (p : R) (a : Z) (workers : list worker) : R :=
  maximum (map (fun w => Y p a (jobs_of w)) workers).

Definition most (f : worker -> Z) (workers : list worker) : R := IZR (largest (map f workers)).
Definition least (f : worker -> Z) (workers : list worker) : R := IZR (smallest (map f workers)).
Definition number (w : worker) : Z := Z.of_nat (slots w).

Lemma between : forall f w workers, In w workers ->
  least f workers <= IZR (f w) <= most f workers.
Proof.
  intros f w workers I. apply (in_map f) in I. unfold least, most.
  split; apply IZR_le; [now apply smallest_below|now apply largest_above].
Qed.

Lemma loads_apart : forall u w workers, In u workers -> In w workers ->
  IZR (load u) - IZR (load w) <= IZR (spread (map load workers)).
Proof.
  intros u w workers I J. pose proof (between load u workers I). pose proof (between load w workers J).
  unfold spread, most, least in *. rewrite minus_IZR. lra.
Qed.

Lemma refill_all_well_formed : forall workers pool, workers <> [] ->
  well_formed (refill_all workers pool).
Proof.
  intros workers pool N. split; simpl; [|now rewrite !map_length].
  intros E. now apply map_eq_nil in E.
Qed.

Definition lowest (a : Z) (w : worker) : Z :=
  (sum (kept (jobs_of w)) + Z.of_nat (empty w + gone (jobs_of w)) * a)%Z.

Lemma level_in : forall a workers pool, workers <> [] ->
  let s := refill_all workers pool in
  exists h, In h workers /\ level (loads s) (free s) a = lowest a h.
Proof.
  intros a workers pool N s.
  assert (J : In (level (loads s) (free s) a) (map (lowest a) workers)).
  { unfold level, s. simpl. rewrite combine_maps, map_map. simpl. apply largest_in.
    intros E. now apply map_eq_nil in E. }
  apply in_map_iff in J. destruct J as (h & E & J). now exists h.
Qed.

(** By how much the lowest end of one worker is above the highest of another. *)
Lemma ends_apart : forall p a b h g, fits h -> fits g ->
  IZR (lowest a h - lowest b g)
  = (1 - p) * (IZR (load h) - IZR (load g) + (IZR (gains a h) - IZR (gains b g)))
    + Y p a (jobs_of h) + X p b (jobs_of g)
    - p * (IZR b * IZR (number g) - IZR a * IZR (number h)).
Proof.
  intros p a b h g H F. unfold lowest, number.
  rewrite minus_IZR, !(every_slot_given p), Y_is_minus_X, !plus_IZR by assumption.
  rewrite <- !INR_IZR_INZ. ring.
Qed.

Lemma waterfill_uncommon : forall p a b workers pool,
  workers <> [] -> Forall fits workers -> 0 <= p <= 1 -> (0 <= a)%Z ->
  let s := refill_all workers pool in
  IZR (waterfill (loads s) (free s) a b)
  <= (1 - p) * IZR (imbalance (map load workers))
     + total (map (fun w => Rmax 0 ((1 - p) * (most (gains a) workers - IZR (gains b w))
         + X p b (jobs_of w) + most_Y p a workers
         - p * (IZR b * IZR (number w) - IZR a * most number workers))) workers).
Proof.
  intros p a b workers pool N F P a0 s. destruct (level_in a workers pool N) as (h & I & E).
  fold s in E. unfold waterfill. rewrite E.
  unfold s. simpl loads. simpl free. rewrite combine_maps, map_map, total_of_sum. simpl.
  assert (K : IZR (imbalance (map load workers))
    = total (map (fun w => most load workers - IZR (load w)) workers)).
  { rewrite imbalance_is_the_sum_of_gaps, map_map, total_of_sum. f_equal. apply map_ext.
    intros w. now rewrite minus_IZR. }
  rewrite K, <- total_linear. apply total_le, Forall_forall. intros w J.
  rewrite Forall_forall in F. pose proof (ends_apart p a b h w (F h I) (F w J)) as Q.
  assert (YH : Y p a (jobs_of h) <= most_Y p a workers)
    by (apply maximum_above, (in_map (fun w => Y p a (jobs_of w))); exact I).
  destruct (between load h workers I) as [_ LH]. destruct (between load w workers J) as [_ LW].
  destruct (between (gains a) h workers I) as [_ GH].
  destruct (between number h workers I) as [_ BH].
  assert (A : 0 <= IZR a) by now apply (IZR_le 0).
  assert (S : p * (IZR a * IZR (number h)) <= p * (IZR a * most number workers)).
  { apply Rmult_le_compat_l; [lra|]. now apply Rmult_le_compat_l. }
  assert (T : (1 - p) * (IZR (load h) + IZR (gains a h))
    <= (1 - p) * (most load workers + most (gains a) workers)) by (apply Rmult_le_compat_l; lra).
  assert (U : 0 <= (1 - p) * (most load workers - IZR (load w)))
    by (apply Rmult_le_pos; lra).
  set (rest := (1 - p) * (most (gains a) workers - IZR (gains b w)) + X p b (jobs_of w)
    + most_Y p a workers - p * (IZR b * IZR (number w) - IZR a * most number workers)).
  pose proof (Rmax_l 0 rest). pose proof (Rmax_r 0 rest).
  replace (lowest a h - sum (kept (jobs_of w)) - Z.of_nat (empty w + gone (jobs_of w)) * b)%Z
    with (lowest a h - lowest b w)%Z by (unfold lowest; ring).
  destruct (Z.max_spec 0 (lowest a h - lowest b w)) as [[_ ->]|[_ ->]]; [|lra].
  rewrite Q. unfold rest in *. lra.
Qed.

Lemma spread_uncommon_above : forall p a b workers pool groups,
  workers <> [] -> Forall fits workers -> 0 <= p <= 1 -> (0 <= a)%Z ->
  let s := refill_all workers pool in
  optimal_from_rich a b s groups ->
  IZR (spread (after s groups))
  <= Rmax 0 ((1 - p) * (IZR (spread (map load workers))
                        + (most (gains a) workers - least (gains b) workers))
             + (most_X p b workers + most_Y p a workers)
             - p * (IZR b * least number workers - IZR a * most number workers)).
Proof.
  intros p a b workers pool groups N F P a0 s O.
  assert (W := refill_all_well_formed workers pool N). fold s in W.
  pose proof (optimal_gaps s a b groups W O) as G. destruct O as (ab & R & [A O]).
  assert (NA := after_nonempty _ _ W A).
  destruct (Forall2_In_right _ _ _ _ _ _ G (smallest_in _ NA)) as (c & I & K).
  unfold spread at 1. rewrite <- K. clear G K.
  destruct (level_in a workers pool N) as (h & J & E). fold s in E. rewrite E.
  unfold s in I. simpl loads in I. simpl free in I. rewrite combine_maps in I.
  apply in_map_iff in I. destruct I as (g & <- & I). simpl.
  rewrite Forall_forall in F. pose proof (ends_apart p a b h g (F h J) (F g I)) as Q.
  assert (YH : Y p a (jobs_of h) <= most_Y p a workers)
    by (apply maximum_above, (in_map (fun w => Y p a (jobs_of w))); exact J).
  assert (XG : X p b (jobs_of g) <= most_X p b workers)
    by (apply maximum_above, (in_map (fun w => X p b (jobs_of w))); exact I).
  destruct (between (gains a) h workers J) as [_ GH].
  destruct (between (gains b) g workers I) as [GG _].
  destruct (between number h workers J) as [_ BH].
  destruct (between number g workers I) as [BG _].
  pose proof (loads_apart h g workers J I) as D.
  assert (A0 : 0 <= IZR a) by now apply (IZR_le 0).
  assert (B0 : 0 <= IZR b) by (apply (IZR_le 0); lia).
  assert (S1 : p * (IZR a * IZR (number h)) <= p * (IZR a * most number workers)).
  { apply Rmult_le_compat_l; [lra|]. now apply Rmult_le_compat_l. }
  assert (S2 : p * (IZR b * least number workers) <= p * (IZR b * IZR (number g))).
  { apply Rmult_le_compat_l; [lra|]. now apply Rmult_le_compat_l. }
  assert (T : (1 - p) * (IZR (load h) - IZR (load g) + (IZR (gains a h) - IZR (gains b g)))
    <= (1 - p) * (IZR (spread (map load workers))
                  + (most (gains a) workers - least (gains b) workers)))
    by (apply Rmult_le_compat_l; lra).
  set (r := (1 - p) * (IZR (spread (map load workers)) + _) + _ - _).
  pose proof (Rmax_l 0 r). pose proof (Rmax_r 0 r).
  replace (lowest a h - sum (kept (jobs_of g)) - Z.of_nat (empty g + gone (jobs_of g)) * b)%Z
    with (lowest a h - lowest b g)%Z by (unfold lowest; ring).
  destruct (Z.max_spec 0 (lowest a h - lowest b g)) as [[_ ->]|[_ ->]]; [|lra].
  rewrite Q. unfold r in *. lra.
Qed.

Lemma spread_uncommon_below : forall p a b workers pool groups,
  workers <> [] -> Forall fits workers -> 0 <= p <= 1 -> (0 <= a <= b)%Z ->
  let s := refill_all workers pool in
  filling a b s groups ->
  (most_X p b workers + most_Y p a workers)
  - p * (IZR b * most number workers - IZR a * least number workers)
  - (1 - p) * (IZR (spread (map load workers))
               + (most (gains b) workers - least (gains a) workers))
  <= IZR (spread (after s groups)).
Proof.
  intros p a b workers pool groups N F P ab s (S & E & A).
  pose proof (filled_between s a b groups (refill_all_well_formed workers pool N) S E A) as Q.
  unfold s in Q. simpl loads in Q. simpl free in Q. rewrite combine_maps in Q. fold s in Q.
  set (loads' := after s groups) in *. rewrite Forall_forall in F.
  assert (I : In (most_X p b workers) (map (fun w => X p b (jobs_of w)) workers)).
  { apply maximum_in. intros Z. now apply map_eq_nil in Z. }
  assert (J : In (most_Y p a workers) (map (fun w => Y p a (jobs_of w)) workers)).
  { apply maximum_in. intros Z. now apply map_eq_nil in Z. }
  apply in_map_iff in I. destruct I as (g & HX & I).
  apply in_map_iff in J. destruct J as (h & HY & J). rewrite <- HX, <- HY.
  destruct (Forall2_In_left _ _ _ _ _ _ Q (in_map _ _ _ I)) as (low & I' & [_ K1]).
  destruct (Forall2_In_left _ _ _ _ _ _ Q (in_map _ _ _ J)) as (high & J' & [K2 _]).
  simpl in K1, K2. apply smallest_below in I'. apply largest_above in J'.
  assert (T : (lowest a h - lowest b g <= spread loads')%Z) by (unfold spread, lowest; lia).
  apply IZR_le in T. rewrite (ends_apart p a b h g (F h J) (F g I)) in T.
  destruct (between (gains a) h workers J) as [GH _].
  destruct (between (gains b) g workers I) as [_ GG].
  destruct (between number h workers J) as [BH _].
  destruct (between number g workers I) as [_ BG].
  pose proof (loads_apart g h workers I J) as D.
  assert (A0 : 0 <= IZR a) by (apply (IZR_le 0); lia).
  assert (B0 : 0 <= IZR b) by (apply (IZR_le 0); lia).
  assert (S1 : p * (IZR a * least number workers) <= p * (IZR a * IZR (number h))).
  { apply Rmult_le_compat_l; [lra|]. now apply Rmult_le_compat_l. }
  assert (S2 : p * (IZR b * IZR (number g)) <= p * (IZR b * most number workers)).
  { apply Rmult_le_compat_l; [lra|]. now apply Rmult_le_compat_l. }
  assert (U : (1 - p) * (IZR (load g) - IZR (load h) + (IZR (gains b g) - IZR (gains a h)))
    <= (1 - p) * (IZR (spread (map load workers))
                  + (most (gains b) workers - least (gains a) workers)))
    by (apply Rmult_le_compat_l; lra).
  lra.
Qed.

(** ** What the growth adds *)

Lemma growth_between : forall c d w,
  Forall (fun r => (c <= snd (fst r) <= d)%Z) (requests w) ->
  (Z.of_nat (length (requests w)) * c <= growth w <= Z.of_nat (length (requests w)) * d)%Z.
Proof.
  intros c d [rs B] F. unfold growth. simpl in *.
  induction F as [|r rs H F IH]; simpl sum; simpl length; lia.
Qed.

Lemma gains_differ : forall a b z workers, workers <> [] ->
  (forall h g, In h workers -> In g workers -> (gains a h - gains b g <= z)%Z) ->
  most (gains a) workers - least (gains b) workers <= IZR z.
Proof.
  intros a b z workers N H. unfold most, least. rewrite <- minus_IZR. apply IZR_le.
  assert (I : In (largest (map (gains a) workers)) (map (gains a) workers)).
  { apply largest_in. intros E. now apply map_eq_nil in E. }
  assert (J : In (smallest (map (gains b) workers)) (map (gains b) workers)).
  { apply smallest_in. intros E. now apply map_eq_nil in E. }
  apply in_map_iff in I. destruct I as (h & <- & I).
  apply in_map_iff in J. destruct J as (g & <- & J). auto.
Qed.

(** An optimal admission from a rich pool of sizes in [a, b] leaves a spread of at most
    [((1-p) (V + max_h (Gamma_h + a e_h) - min_g (Gamma_g + b e_g)) + N - p (b B_min - a B_max))^+]
    and an imbalance of at most [(1-p) Imb + sum_g ((1-p) (max_h (Gamma_h + a e_h) - Gamma_g - b e_g)
    + X_g + max_h Y_h - p (b B_g - a B_max))^+], to which the spacing of [a] and [b] is added where
    the pool offers only the two.  No admission that fills every slot leaves a spread
    below [N - p (b B_max - a B_min) - (1-p) (V + max_g (Gamma_g + b e_g) - min_h (Gamma_h + a e_h))].
    With [B] slots each, all full, growths from 0 to [D] add at most [B D] to [V]; with [B] slots
    each, some of them empty, a common growth between [a] and [b] adds nothing. *)
Theorem uncommon_growth : forall p a b workers pool,
  workers <> [] -> Forall fits workers -> 0 <= p <= 1 -> (0 <= a <= b)%Z ->
  let s := refill_all workers pool in
  let V := IZR (spread (map load workers)) in
  let N := most_X p b workers + most_Y p a workers in
  let imb := (1 - p) * IZR (imbalance (map load workers))
     + total (map (fun w => Rmax 0 ((1 - p) * (most (gains a) workers - IZR (gains b w))
         + X p b (jobs_of w) + most_Y p a workers
         - p * (IZR b * IZR (number w) - IZR a * most number workers))) workers) in
  (forall groups, optimal_from_rich a b s groups ->
     IZR (spread (after s groups))
     <= Rmax 0 ((1 - p) * (V + (most (gains a) workers - least (gains b) workers)) + N
                - p * (IZR b * least number workers - IZR a * most number workers))) /\
  (forall v, optimum s v -> rich_pool s a b -> IZR v <= imb) /\
  (forall v, optimum s v -> offers a (b - a) s -> (a < b)%Z ->
     IZR v <= imb + IZR (spacing (length workers) (b - a))) /\
  (forall groups, filling a b s groups ->
     N - p * (IZR b * most number workers - IZR a * least number workers)
     - (1 - p) * (V + (most (gains b) workers - least (gains a) workers))
     <= IZR (spread (after s groups))) /\
  (forall B D, Forall (fun w => length (requests w) = B /\ slots w = B /\
      Forall (fun r => (0 <= snd (fst r) <= D)%Z) (requests w)) workers ->
     forall x y, most (gains x) workers - least (gains y) workers <= INR B * IZR D) /\
  (forall B d, (a <= d <= b)%Z -> Forall (fun w => slots w = B /\
      Forall (fun r => snd (fst r) = d) (requests w)) workers ->
     most (gains a) workers <= least (gains b) workers).
Proof.
  intros p a b workers pool N F P ab s V' N' imb. split; [|split; [|split; [|split; [|split]]]].
  - intros groups O. now apply spread_uncommon_above.
  - intros v O R. assert (W := refill_all_well_formed workers pool N). fold s in W.
    destruct (step_waterfill s a b W ltac:(lia) R) as [Q _].
    rewrite (optimum_unique _ _ _ O Q). now apply waterfill_uncommon.
  - intros v O T L. assert (W := refill_all_well_formed workers pool N). fold s in W.
    pose proof (spacing_is_enough s a (b - a) v W ltac:(lia) T O) as Q.
    pose proof (waterfill_uncommon p a b workers pool N F P (proj1 ab)) as U. cbv zeta in U.
    fold s in U. fold imb in U. replace (a + (b - a))%Z with b in Q by lia.
    replace (length (loads s)) with (length workers) in Q by (unfold s; simpl; now rewrite map_length).
    apply IZR_le in Q. rewrite plus_IZR in Q. lra.
  - intros groups O. now apply spread_uncommon_below.
  - intros B D H x y. rewrite INR_IZR_INZ, <- mult_IZR. apply gains_differ; [exact N|].
    intros h g I J. rewrite Forall_forall in H.
    destruct (H h I) as (Lh & Sh & Gh). destruct (H g J) as (Lg & Sg & Gg).
    apply growth_between in Gh, Gg. unfold gains, empty. rewrite Lh, Sh, Lg, Sg in *. lia.
  - intros B d D H. apply Rminus_le. change 0 with (IZR 0). apply gains_differ; [exact N|].
    intros h g I J. rewrite Forall_forall in H, F. pose proof (F h I) as fh. pose proof (F g J) as fg.
    destruct (H h I) as (Sh & Gh). destruct (H g J) as (Sg & Gg).
    assert (Qh : Forall (fun r => (d <= snd (fst r) <= d)%Z) (requests h))
      by (eapply Forall_impl; [|exact Gh]; simpl; lia).
    assert (Qg : Forall (fun r => (d <= snd (fst r) <= d)%Z) (requests g))
      by (eapply Forall_impl; [|exact Gg]; simpl; lia).
    apply growth_between in Qh, Qg. unfold fits, gains, empty in *. rewrite Sh in *. rewrite Sg in *.
    rewrite !Nat2Z.inj_sub by assumption. nia.
Qed.
