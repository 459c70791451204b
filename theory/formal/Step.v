(** * One admission step and its optimum

    Worker [g] has load [l_g] and [c_g] free slots.  Work conservation admits
    [U = min (|pool|, sum c)] of the waiting requests, at most [c_g] on worker [g].  An admission
    is given by the sizes that every worker takes; together with the sizes that wait they are the
    pool.  Its cost is the imbalance of the loads after it, and the optimum is the smallest cost
    over all admissions of the step.

    Claim: [step.objective]. *)

From Coq Require Import ZArith List Lia Permutation Bool.
From evenkeel Require Import Loads.
Import ListNotations.
Open Scope Z_scope.

Record step := Step { loads : list Z; free : list nat; pool : list Z }.

(** One entry of [free] for each of at least one worker. *)
Definition well_formed (s : step) : Prop :=
  loads s <> [] /\ length (free s) = length (loads s).

Definition admissions (s : step) : nat := Nat.min (length (pool s)) (list_sum (free s)).

Definition admits (s : step) (groups : list (list Z)) : Prop :=
  Forall2 (fun c group => (length group <= c)%nat) (free s) groups /\
  length (concat groups) = admissions s /\
  exists waiting, Permutation (concat groups ++ waiting) (pool s).

Definition add_groups (before : list Z) (groups : list (list Z)) : list Z :=
  map (fun pair => fst pair + sum (snd pair)) (combine before groups).

Definition after (s : step) (groups : list (list Z)) : list Z := add_groups (loads s) groups.

Definition cost (s : step) (groups : list (list Z)) : Z := imbalance (after s groups).

Definition optimal (s : step) (groups : list (list Z)) : Prop :=
  admits s groups /\ forall others, admits s others -> cost s groups <= cost s others.

(** [v] is the optimum of the step: some admission costs it and none costs less. *)
Definition optimum (s : step) (v : Z) : Prop := exists groups, optimal s groups /\ cost s groups = v.

Lemma optimum_unique : forall s v w, optimum s v -> optimum s w -> v = w.
Proof. intros s v w (p & [Ap Op] & <-) (q & [Aq Oq] & <-). apply Z.le_antisymm; auto. Qed.

(** ** Lengths and sums *)

Lemma Forall2_length : forall A B (R : A -> B -> Prop) xs ys,
  Forall2 R xs ys -> length xs = length ys.
Proof. induction 1; simpl; congruence. Qed.

Lemma groups_length : forall s groups, admits s groups -> length groups = length (free s).
Proof. intros s groups (F & _). symmetry. eapply Forall2_length. exact F. Qed.

Lemma add_groups_length : forall before groups,
  length groups = length before -> length (add_groups before groups) = length before.
Proof. intros. unfold add_groups. rewrite map_length, combine_length. lia. Qed.

Lemma add_groups_sum : forall before groups, length groups = length before ->
  sum (add_groups before groups) = sum before + sum (concat groups).
Proof.
  induction before; destruct groups; simpl; intros H; try lia.
  rewrite sum_app. unfold add_groups in *. rewrite IHbefore; lia.
Qed.

Lemma after_length : forall s groups,
  well_formed s -> admits s groups -> length (after s groups) = length (loads s).
Proof.
  intros s groups [_ W] A. apply add_groups_length. rewrite (groups_length _ _ A). exact W.
Qed.

Lemma after_sum : forall s groups, well_formed s -> admits s groups ->
  sum (after s groups) = sum (loads s) + sum (concat groups).
Proof.
  intros s groups [_ W] A. apply add_groups_sum. rewrite (groups_length _ _ A). exact W.
Qed.

Lemma after_nonempty : forall s groups, well_formed s -> admits s groups -> after s groups <> [].
Proof.
  intros s groups W A E. pose proof (after_length _ _ W A) as L. rewrite E in L.
  destruct W as [W _]. destruct (loads s); simpl in *; [congruence|discriminate].
Qed.

(** What holds of every worker's slots and group holds of its load after the step. *)
Lemma after_each : forall (P : nat -> list Z -> Prop) before slots groups,
  length slots = length before -> Forall2 P slots groups ->
  Forall2 (fun worker load => exists group, P (snd worker) group /\ load = fst worker + sum group)
    (combine before slots) (add_groups before groups).
Proof.
  intros P before slots groups L F. revert before L.
  induction F; destruct before; simpl; intros L; try lia; constructor; [|apply IHF; lia].
  eexists. simpl. eauto.
Qed.

(** When the pool fills every slot, every worker takes exactly what it has room for. *)
Lemma every_slot_filled : forall s groups, admits s groups ->
  (list_sum (free s) <= length (pool s))%nat ->
  Forall2 (fun c group => length group = c) (free s) groups.
Proof.
  intros s groups (F & N & _) E. unfold admissions in N. rewrite Nat.min_r in N by exact E.
  clear E. revert N. induction F as [|c g cs gs L F IH]; simpl; intros N; constructor.
  - rewrite app_length in N. assert (length (concat gs) <= list_sum cs)%nat; [|lia].
    clear - F. induction F; simpl; rewrite ?app_length; lia.
  - apply IH. rewrite app_length in N. assert (length (concat gs) <= list_sum cs)%nat; [|lia].
    clear - F. induction F; simpl; rewrite ?app_length; lia.
Qed.

(** Admitted sizes are sizes of the pool. *)
Lemma admitted_sizes : forall s groups (P : Z -> Prop), admits s groups ->
  Forall P (pool s) -> Forall P (concat groups).
Proof.
  intros s groups P (_ & _ & rest & Q) F. apply (Permutation_Forall (Permutation_sym Q)) in F.
  now apply Forall_app in F.
Qed.

(** ** First come, first served: requests in arrival order, worker 0 filled first *)

Fixpoint deal (slots : list nat) (queue : list Z) : list (list Z) :=
  match slots with
  | [] => []
  | c :: rest => firstn c queue :: deal rest (skipn c queue)
  end.

Definition fcfs (s : step) : list (list Z) := deal (free s) (pool s).

Lemma deal_concat : forall slots queue, concat (deal slots queue) = firstn (list_sum slots) queue.
Proof.
  induction slots as [|c cs IH]; intros q; [reflexivity|]. simpl deal. simpl concat. rewrite IH.
  change (list_sum (c :: cs)) with (c + list_sum cs)%nat. revert q.
  induction c as [|c IHc]; intros [|x q]; simpl; try reflexivity.
  - now rewrite firstn_nil.
  - now rewrite IHc.
Qed.

Lemma deal_fits : forall slots queue,
  Forall2 (fun c group => (length group <= c)%nat) slots (deal slots queue).
Proof. induction slots; simpl; intros; constructor; auto using firstn_le_length. Qed.

Lemma fcfs_admits : forall s, admits s (fcfs s).
Proof.
  intros s. split; [apply deal_fits|]. unfold fcfs. rewrite deal_concat. split.
  - rewrite firstn_length. unfold admissions. lia.
  - exists (skipn (list_sum (free s)) (pool s)). now rewrite firstn_skipn.
Qed.

(** ** The optimum exists: a finite list holds every admission up to the order in the groups *)

Fixpoint place (x : Z) (groups : list (list Z)) : list (list (list Z)) :=
  match groups with
  | [] => []
  | group :: rest => ((x :: group) :: rest) :: map (cons group) (place x rest)
  end.

Fixpoint placements (workers : nat) (waiting : list Z) : list (list (list Z)) :=
  match waiting with
  | [] => [repeat [] workers]
  | x :: rest => flat_map (fun groups => groups :: place x groups) (placements workers rest)
  end.

Fixpoint fits (slots : list nat) (groups : list (list Z)) : bool :=
  match slots, groups with
  | [], [] => true
  | c :: cs, group :: rest => (length group <=? c)%nat && fits cs rest
  | _, _ => false
  end.

Definition choices (s : step) : list (list (list Z)) :=
  filter (fun groups => (length (concat groups) =? admissions s)%nat && fits (free s) groups)
    (placements (length (free s)) (pool s)).

(** The optimal imbalance as a number, by exhaustive search. *)
Definition optimal_imbalance (s : step) : Z := smallest (map (cost s) (choices s)).

Lemma fits_spec : forall slots groups,
  fits slots groups = true <-> Forall2 (fun c group => (length group <= c)%nat) slots groups.
Proof.
  induction slots as [|c cs IH]; destruct groups as [|g gs]; simpl; split; intros H;
    try discriminate; try constructor; try (now inversion H).
  - apply andb_prop in H. now apply Nat.leb_le.
  - apply andb_prop in H. now apply IH.
  - inversion H; subst. apply andb_true_intro. split; [now apply Nat.leb_le | now apply IH].
Qed.

Lemma place_permutation : forall x groups placed, In placed (place x groups) ->
  length placed = length groups /\ Permutation (concat placed) (x :: concat groups).
Proof.
  induction groups as [|g gs IH]; simpl; intros placed H; [tauto|]. destruct H as [<-|H].
  - split; reflexivity.
  - apply in_map_iff in H. destruct H as (p & <- & H). apply IH in H. destruct H as [L P].
    simpl. split; [now rewrite L|]. rewrite P. symmetry. apply Permutation_middle.
Qed.

Lemma place_complete : forall x groups front l r back, groups = front ++ (l ++ r) :: back ->
  exists placed, In placed (place x groups) /\
    Forall2 (@Permutation Z) (front ++ (l ++ x :: r) :: back) placed.
Proof.
  intros x groups front. revert groups. induction front as [|g gs IH]; intros groups l r back ->.
  - exists ((x :: l ++ r) :: back). split; [now left|]. constructor.
    + symmetry. apply Permutation_middle.
    + clear. induction back; constructor; auto.
  - destruct (IH _ l r back eq_refl) as (placed & I & F). exists (g :: placed). split.
    + right. now apply in_map.
    + constructor; auto.
Qed.

Lemma placements_sound : forall workers waiting groups, In groups (placements workers waiting) ->
  length groups = workers /\ exists rest, Permutation (concat groups ++ rest) waiting.
Proof.
  induction waiting as [|x xs IH]; simpl; intros groups H.
  - destruct H as [<-|[]]. split; [apply repeat_length|]. exists [].
    replace (concat (repeat [] workers)) with (@nil Z); [constructor|].
    clear. induction workers; simpl; auto.
  - apply in_flat_map in H. destruct H as (old & I & H). apply IH in I.
    destruct I as (L & rest & P). destruct H as [<-|H].
    + split; [exact L|]. exists (x :: rest). rewrite <- P. symmetry. apply Permutation_middle.
    + apply place_permutation in H. destruct H as [L' P']. split; [congruence|]. exists rest.
      rewrite P'. simpl. now rewrite P.
Qed.

Lemma Forall2_permutation_trans : forall p q r : list (list Z),
  Forall2 (@Permutation Z) p q -> Forall2 (@Permutation Z) q r -> Forall2 (@Permutation Z) p r.
Proof.
  intros p q r H. revert r. induction H; intros r K; inversion K; subst; constructor; eauto.
  eapply perm_trans; eauto.
Qed.

Lemma place_equivalent : forall x p q placed, Forall2 (@Permutation Z) p q ->
  In placed (place x p) -> exists other, In other (place x q) /\ Forall2 (@Permutation Z) placed other.
Proof.
  intros x p q placed F. revert placed. induction F as [|g h gs hs P F IH]; simpl; [tauto|].
  intros placed [<-|I].
  - exists ((x :: h) :: hs). split; [now left|]. constructor; [now constructor|exact F].
  - apply in_map_iff in I. destruct I as (q & <- & I). destruct (IH _ I) as (o & J & K).
    exists (h :: o). split; [right; now apply in_map|]. now constructor.
Qed.

Lemma placements_complete : forall workers waiting groups rest,
  length groups = workers -> Permutation (concat groups ++ rest) waiting ->
  exists listed, In listed (placements workers waiting) /\ Forall2 (@Permutation Z) groups listed.
Proof.
  intros workers waiting. induction waiting as [|x xs IH]; intros groups rest L P.
  - apply Permutation_sym, Permutation_nil, app_eq_nil in P. destruct P as [E _].
    exists (repeat [] workers). split; [now left|]. subst workers.
    induction groups as [|g gs IHg]; simpl in *; constructor.
    + apply app_eq_nil in E. destruct E as [-> _]. constructor.
    + apply IHg. now apply app_eq_nil in E.
  - assert (I : In x (concat groups ++ rest)).
    { eapply Permutation_in; [apply Permutation_sym; exact P|now left]. }
    apply in_app_or in I. destruct I as [I|I].
    + apply in_concat in I. destruct I as (g & I & J).
      apply in_split in I. destruct I as (front & back & ->).
      apply in_split in J. destruct J as (l & r & ->).
      destruct (IH (front ++ (l ++ r) :: back) rest) as (old & I & F).
      { rewrite app_length in *. simpl in *. exact L. }
      { rewrite concat_app in *. simpl in *. rewrite <- !app_assoc in *. simpl in *.
        rewrite app_assoc in *. apply Permutation_sym, Permutation_cons_app_inv in P.
        now symmetry. }
      destruct (place_complete x _ front l r back eq_refl) as (placed & K & F').
      destruct (place_equivalent x _ _ _ F K) as (other & K' & F'').
      exists other. split.
      * simpl. apply in_flat_map. exists old. split; [exact I|now right].
      * eapply Forall2_permutation_trans; eauto.
    + apply in_split in I. destruct I as (l & r & ->).
      destruct (IH groups (l ++ r) L) as (old & I & F).
      { rewrite app_assoc in *. apply Permutation_sym, Permutation_cons_app_inv in P.
        now symmetry. }
      exists old. split; [|exact F]. simpl. apply in_flat_map. exists old.
      split; [exact I|now left].
Qed.

Lemma add_groups_equivalent : forall before p q,
  Forall2 (@Permutation Z) p q -> add_groups before p = add_groups before q.
Proof.
  intros before p q F. revert before. induction F; destruct before; unfold add_groups in *;
    simpl; auto. f_equal; [|apply IHF]. f_equal. now apply sum_permutation.
Qed.

Lemma concat_equivalent : forall p q, Forall2 (@Permutation Z) p q -> Permutation (concat p) (concat q).
Proof. induction 1; simpl; [constructor|]. now apply Permutation_app. Qed.

Lemma choices_sound : forall s groups, In groups (choices s) -> admits s groups.
Proof.
  intros s groups I. apply filter_In in I. destruct I as [I B]. apply andb_prop in B.
  destruct B as [N F]. apply Nat.eqb_eq in N. apply fits_spec in F.
  apply placements_sound in I. destruct I as (_ & rest & P). repeat split; eauto.
Qed.

Lemma choices_complete : forall s groups, admits s groups ->
  exists listed, In listed (choices s) /\ after s listed = after s groups.
Proof.
  intros s groups A. destruct A as (F & N & rest & P).
  destruct (placements_complete (length (free s)) (pool s) groups rest) as (listed & I & E).
  - symmetry. eapply Forall2_length. exact F.
  - exact P.
  - exists listed. split.
    + apply filter_In. split; [exact I|]. apply andb_true_intro. split.
      * apply Nat.eqb_eq. rewrite <- N. symmetry. apply Permutation_length.
        now apply concat_equivalent.
      * apply fits_spec. clear - F E. revert E. generalize listed. induction F; intros k E;
          inversion E; subst; constructor; auto.
        match goal with H : Permutation _ _ |- _ => apply Permutation_length in H; lia end.
    + symmetry. now apply add_groups_equivalent.
Qed.

(** Every step has an optimal admission, and [optimal_imbalance] is its cost. *)
Lemma optimum_exists : forall s, optimum s (optimal_imbalance s).
Proof.
  intros s. destruct (choices_complete s _ (fcfs_admits s)) as (first & I & _).
  assert (N : map (cost s) (choices s) <> []).
  { intros E. apply map_eq_nil in E. rewrite E in I. exact I. }
  pose proof (smallest_in _ N) as J. apply in_map_iff in J. destruct J as (best & E & J).
  exists best. split; [|exact E]. split; [now apply choices_sound|].
  intros others A. destruct (choices_complete s others A) as (listed & K & S).
  rewrite E. unfold cost at 2. rewrite <- S. apply smallest_below.
  apply in_map_iff. now exists listed.
Qed.

(** ** [step.objective] *)

(** The step minimises the sum of gaps below the largest load.  When every request is admitted
    the sum of the loads is fixed and only the maximum counts; otherwise the subset matters, and
    the smallest maximum need not be optimal. *)
Theorem step_objective :
  (forall s groups, admits s groups ->
     cost s groups = sum (map (fun load => largest (after s groups) - load) (after s groups))) /\
  (forall s, well_formed s -> (length (pool s) <= list_sum (free s))%nat ->
     forall groups others, admits s groups -> admits s others ->
     sum (after s groups) = sum (loads s) + sum (pool s) /\
     (cost s groups <= cost s others <->
      largest (after s groups) <= largest (after s others))) /\
  (exists s, well_formed s /\ (list_sum (free s) < length (pool s))%nat /\
     Forall (fun load => 0 <= load) (loads s) /\ Forall (fun size => 1 <= size) (pool s) /\
     forall groups, optimal s groups ->
     exists others, admits s others /\ largest (after s others) < largest (after s groups)).
Proof.
  split; [|split].
  - intros. apply imbalance_is_the_sum_of_gaps.
  - intros s W N groups others A B.
    assert (all : forall g, admits s g -> sum (after s g) = sum (loads s) + sum (pool s)).
    { intros g C. rewrite after_sum by assumption. f_equal. destruct C as (_ & L & rest & P).
      apply sum_permutation. unfold admissions in L. pose proof (Permutation_length P) as Q.
      rewrite app_length in Q. assert (rest = []) by (destruct rest; simpl in *; [easy|lia]).
      subst. now rewrite app_nil_r in P. }
    split; [now apply all|]. unfold cost, imbalance. rewrite !all by assumption.
    rewrite !after_length by assumption.
    assert (0 < Z.of_nat (length (loads s))).
    { destruct W as [W _]. destruct (loads s); simpl length; [congruence|lia]. }
    split; intros; nia.
  - set (s := Step [3; 0] [0; 1]%nat [1; 4]). exists s.
    split; [split; [discriminate|reflexivity]|]. split; [simpl; lia|].
    split; [repeat constructor; lia|]. split; [repeat constructor; lia|].
    intros groups [A O]. exists [[]; [1]].
    assert (admits s [[]; [1]]).
    { apply choices_sound. vm_compute. tauto. }
    split; [assumption|].
    assert (O4 : cost s groups <= 1).
    { apply (O [[]; [4]]). apply choices_sound. vm_compute. tauto. }
    destruct (choices_complete s groups A) as (listed & I & E). unfold cost in O4.
    rewrite <- E in O4 |- *. vm_compute in I.
    repeat (destruct I as [<-|I]; [vm_compute in O4 |- *; first [reflexivity|congruence]|]).
    destruct I.
Qed.
